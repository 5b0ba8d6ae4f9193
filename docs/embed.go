package docs

import "embed"

// Analyses has the analysis of each blocked method, as analysis/KEY.md.
//
//go:embed analysis/*.md
var Analyses embed.FS
