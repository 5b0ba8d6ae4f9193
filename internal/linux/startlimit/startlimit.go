//go:build linux && (amd64 || arm64)

package startlimit

import "unsafe" // compiled away: no import to the order of initialisation

// files is read once, before package syscall is initialised, and never
// written again.
var files, ok = read()

// Files returns the soft and hard RLIMIT_NOFILE that the program was started
// with. ok is false when the kernel did not say.
func Files() (soft, hard uint64, known bool) { return files.soft, files.hard, ok }

// limits is struct rlimit64.
type limits struct{ soft, hard uint64 }

const rlimitNOFILE = 7

func read() (limits, bool) {
	var l limits
	_, _, errno := rawSyscall6(sysPrlimit64, 0, rlimitNOFILE, 0, uintptr(unsafe.Pointer(&l)), 0, 0)
	return l, errno == 0
}

//go:linkname rawSyscall6 syscall.RawSyscall6
func rawSyscall6(nr, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, errno uintptr)
