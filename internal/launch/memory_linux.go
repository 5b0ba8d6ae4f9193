//go:build linux && (amd64 || arm64)

package launch

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// bytes returns n zeroed bytes that stay where they are until the next launch.
func (b *builder) bytes(n int) []byte {
	n = (n + 7) &^ 7 // structures want their alignment
	if b.used+n > len(b.chunks[len(b.chunks)-1]) {
		b.chunks, b.used = append(b.chunks, make([]byte, max(n, chunkSize))), 0
	}
	m := b.chunks[len(b.chunks)-1][b.used : b.used+n : b.used+n]
	b.used += n
	clear(m)
	return m
}

// str returns the address of s as a C string.
func (b *builder) str(s string) uintptr {
	m := b.bytes(len(s) + 1)
	copy(m, s)
	return pointer(m)
}

// vector returns the address of a vector of C strings.
func (b *builder) vector(ss []string) uintptr {
	v := make([]uintptr, len(ss)+1)
	for i, s := range ss {
		v[i] = b.str(s)
	}
	b.ptrs = append(b.ptrs, v)
	return uintptr(unsafe.Pointer(&v[0]))
}

// limit returns the address of a struct rlimit64.
func (b *builder) limit(soft, hard uintptr) uintptr {
	m := b.bytes(16)
	binary.NativeEndian.PutUint64(m, uint64(soft))
	binary.NativeEndian.PutUint64(m[8:], uint64(hard))
	return pointer(m)
}

// words returns the address of 32-bit words.
func (b *builder) words(ws ...uint32) uintptr {
	m := b.bytes(4 * len(ws))
	for i, w := range ws {
		binary.NativeEndian.PutUint32(m[4*i:], w)
	}
	return pointer(m)
}

// ids returns the address of a list of gid_t.
func (b *builder) ids(args []spawn.Arg) uintptr {
	m := b.bytes(4*len(args) + 4)
	for i, a := range args {
		binary.NativeEndian.PutUint32(m[4*i:], uint32(a.Num))
	}
	return pointer(m)
}

// group returns the address of a pid_t: the process group pgid, or the child's
// own when that is 0. Every signal is blocked when it is used, so a terminal
// does not stop a child in the background that asks for the foreground.
func (b *builder) group(pgid uintptr, flags uint64) uintptr {
	switch {
	case pgid != 0:
	case b.nest > 0:
		pgid = 2 // what the first child of process 1 is to itself
	case flags&unix.CLONE_NEWPID != 0:
		pgid = 1
	default:
		return b.pid
	}
	m := b.bytes(4)
	binary.NativeEndian.PutUint32(m, uint32(pgid))
	return pointer(m)
}

// sigaction returns the address of a struct kernel_sigaction with the handler
// SIG_DFL (0) or SIG_IGN (1), no flags and an empty mask.
func (b *builder) sigaction(handler uint64) uintptr {
	m := b.bytes(32)
	binary.NativeEndian.PutUint64(m, handler)
	return pointer(m)
}

func pointer(m []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(m))) }
