// Package pid1 makes the program that is process 1 of a child's own pid
// namespace.
//
//	image := pid1.Image() // a static ELF file of a few hundred bytes
//
// The first process of a pid namespace cannot be an ordinary program: the kernel
// gives it no default actions of signals, so a program without a handler could
// not be ended by SIGTERM, orphans are its own to reap, and when it ends
// everything in the namespace does. This program is that process, and the real
// program its first child, number 2.
//
// It is started with every signal blocked, and has one descriptor, 0, a pipe. It
//
//   - lets nobody look into it or trace it (PR_SET_DUMPABLE), takes the name init, and
//     then writes a byte to the pipe, for which the program waits before its exec;
//   - passes on to the program whatever signal it is sent by a process (what a
//     terminal sends goes to the whole group by itself);
//   - reaps all that comes to it;
//   - writes a [Record] to the pipe when the program stops, goes on or ends, with
//     the status and the usage as wait4(2) has them. Stops are left out while nobody has
//     read a dozen of them: the end is told whatever the program did before;
//   - exits when the program has ended, with its code or 128 and the signal, and
//     the kernel ends what is left in the namespace.
//
// The record is the truth about the program. Its exit code is not: it cannot say
// "by a signal", nor that a core was dumped.
//
// It is assembly that is part of this binary, copied behind an ELF header, so
// nothing has to be found or installed. Elsewhere than on linux/amd64 and
// linux/arm64 Image returns nil.
package pid1
