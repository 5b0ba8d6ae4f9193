package docs

import "embed"

// Analyses has the analysis of each blocked method, as analysis/KEY.md, of other dead
// ends, and of each class of hang that Hatchery was built against.
//
//go:embed analysis/*.md
var Analyses embed.FS
