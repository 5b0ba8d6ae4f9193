//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lane

import (
	"sync"
	"unsafe"
)

// scratch is room for one message: header and inline payload, and its control
// messages. A waiting reader of the poller holds none.
type scratch struct {
	// control has room for what Linux can attach: one SCM_RIGHTS of 253
	// descriptors, and credentials that were not asked for. Words keep it
	// aligned.
	control [144]uint64
	data    [headerSize + MaxInline]byte
}

// scratches is shared by all lanes, since most of them are idle most of the
// time. (Were it each Conn's own, every new lane would start with 64 KiB.)
var scratches = sync.OnceValue(func() *sync.Pool {
	return &sync.Pool{New: func() any { return new(scratch) }}
})

func getScratch() *scratch  { return scratches().Get().(*scratch) }
func putScratch(s *scratch) { scratches().Put(s) }

// oob returns the room for control messages as bytes.
func (s *scratch) oob() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&s.control)), len(s.control)*8)
}
