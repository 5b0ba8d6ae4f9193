// Package startlimit knows the limit of open descriptors (RLIMIT_NOFILE) that
// this program was started with.
//
// The Go runtime raises the soft limit to the hard one when package syscall is
// initialised, and gives the old one back to what os/exec starts, but tells
// nobody. A child made any other way would get the raised limit, which breaks
// programs that use select(2) or that close every descriptor up to the limit.
//
// So this package reads the limit first. Packages are initialised in the order
// of their import paths as soon as what they import is: one that imports
// nothing comes before package syscall. It must therefore import nothing, not
// even by way of a test.
//
//	soft, hard, ok := startlimit.Files()
package startlimit
