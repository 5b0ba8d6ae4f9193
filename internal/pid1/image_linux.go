//go:build linux && (amd64 || arm64)

package pid1

import (
	"bytes"
	"unsafe"

	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
)

// end marks the end of the code: what stands behind its last instruction.
const end = "hatchery"

// maxCode is more than the code takes.
const maxCode = 1024

// Image returns the program as an ELF file.
func Image() []byte {
	code := unsafe.Slice((*byte)(unsafe.Pointer(start())), maxCode)
	n := bytes.Index(code, []byte(end))
	if n < 0 {
		panic("bug: the code of pid 1 has no end")
	}
	return tinyelf.Program(code[:n])
}

// start returns the address of the code.
func start() *byte
