// Package pins reads and writes lock files: what a folder of plugin binaries
// says about them, so that they can be listed without being executed, and
// refused when they have changed.
//
// A lock file is named [FileName] and lies in the folder. It has one fact a
// line, sorted, so that a diff shows what has changed and two branches can be
// merged:
//
//	# A comment. Blank lines are allowed too.
//	careful linux/amd64 sha256:3b1f…
//	careful linux/arm64 sha256:90aa…
//	careful status experimental
//	careful summary forkexec without setuid programs
//	tidy any sha256:77c0…
//
// The first word is the key of a method, the second names the fact, the rest
// of the line is its value. The facts are
//
//   - GOOS/GOARCH: the checksum that the binary must have on that platform;
//   - any: the same for every platform that has no line of its own, which is
//     what a script has;
//   - status: stable, experimental or blocked;
//   - summary: what the method is, in a line;
//   - reason, alternative, analysis, scenario: what explains a blocked one, as
//     in registry.Entry.
//
// A file is understood as a whole or not at all: what breaks a rule is a
// [*SyntaxError] with its line. The same line twice, which a merge can leave
// behind, is no error; two values for one fact are.
//
// This package neither opens files nor knows whether one can be trusted. That
// is what host.Discover does with it, and what writes the file is the command
// "hatchery backend lock".
package pins
