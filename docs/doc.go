// Package docs is what the command shows of the documentation: the analyses of
// the methods that are known not to work, of other dead ends, and of the hangs that
// Hatchery was built against, as they stand in this folder. It has no code, and is no
// place for the documentation of packages; that stands beside them.
package docs
