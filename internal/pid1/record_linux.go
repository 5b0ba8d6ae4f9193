package pid1

import (
	"encoding/binary"
	"errors"
	"syscall"
	"unsafe"
)

// RecordSize is how many bytes a record takes; fewer than PIPE_BUF, so it is
// written as a whole.
const RecordSize = 8 + int(unsafe.Sizeof(syscall.Rusage{}))

// A Record is what is told of the program: that it stopped, went on or ended.
type Record struct {
	Status syscall.WaitStatus
	Rusage syscall.Rusage
}

// Decode decodes a record.
func Decode(b []byte) (Record, error) {
	var r Record
	if len(b) != RecordSize {
		return r, errors.New("the record of pid 1 is cut")
	}
	r.Status = syscall.WaitStatus(binary.NativeEndian.Uint32(b))
	r.Rusage = *(*syscall.Rusage)(unsafe.Pointer(unsafe.SliceData(append([]byte(nil), b[8:]...))))
	return r, nil
}
