// Package tinyelf writes the smallest programs there are: static ELF files of
// less than 200 bytes for Linux on amd64 and arm64, made byte by byte, without
// a compiler.
//
//	err := tinyelf.Write(filepath.Join(dir, "exit"), tinyelf.Exit(0))
//
// [Exit] ends at once: starting it costs what clone, execve and exit cost, and
// nothing of a C library or of Go's runtime, which is what a benchmark of
// spawning wants to see. [Pause] waits until a signal ends it: a child that
// can be had twenty thousand times at once, and that has changed nothing of
// what it was started with.
//
// # What this package is not
//
// It is no assembler and links nothing. Where no program is known, which is
// everywhere but linux/amd64 and linux/arm64, Exit and Pause return nil, and
// Write refuses that with ENOEXEC.
package tinyelf
