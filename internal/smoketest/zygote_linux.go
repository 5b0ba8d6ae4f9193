//go:build amd64 || arm64

package smoketest

import (
	"bytes"
	"unsafe"

	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
)

// zygoteProgram returns a static program with one thread and no runtime: what can
// fork. It reads 8 bytes, its warm-up, and for each further byte forks a sister of
// itself, which writes those 8 bytes and its process id, and exits with the byte
// as its code.
func zygoteProgram() []byte {
	const most = 1024 // more than the code takes
	code := unsafe.Slice((*byte)(unsafe.Pointer(zygoteStart())), most)
	end := bytes.Index(code, []byte("hatchery"))
	if end < 0 {
		panic("bug: the code of the zygote has no end")
	}
	return tinyelf.Program(code[:end])
}

// zygoteStart returns the address of the code.
func zygoteStart() *byte
