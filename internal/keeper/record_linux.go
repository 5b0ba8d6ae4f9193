package keeper

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A recorder writes a keeper's record: a file that is mapped into memory, so
// that a note costs no system call and survives whatever kills the process.
// Nothing in it is read by the keeper. A nil recorder records nothing. The
// keeper's table guards it.
type recorder struct {
	mem  []byte
	free []uint16 // slots for children; the last is given next
}

// newRecorder makes the record file. Its blocks are allocated now: a write to
// memory that the file system has no room for would be the end of the keeper.
func newRecorder(path string, pid int) (*recorder, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var mem []byte
	if err = syscall.Fallocate(int(f.Fd()), 0, 0, recordSize); err == nil {
		mem, err = syscall.Mmap(int(f.Fd()), 0, recordSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	}
	if err != nil {
		os.Remove(path)
		return nil, err
	}
	r := &recorder{mem: mem, free: make([]uint16, 0, childSlots)}
	for i := childSlots; i > 0; i-- {
		r.free = append(r.free, uint16(i-1))
	}
	r.put32(8, childSlots+otherSlots)
	r.put32(12, uint32(pid))
	copy(mem, recordMagic)
	return r, nil
}

// noSlot stands for the slot of a child that is not recorded. The slots that add
// and drop speak of are numbered from one.
const noSlot = 0

// add notes a child that was born between two times. It returns its slot.
func (r *recorder) add(pid int, earliest, latest time.Duration) int {
	if r == nil {
		return noSlot
	}
	r.touch(latest)
	if len(r.free) == 0 {
		atomic.AddUint64((*uint64)(unsafe.Pointer(&r.mem[24])), 1)
		return noSlot
	}
	slot := int(r.free[len(r.free)-1])
	r.free = r.free[:len(r.free)-1]
	r.set(slot, pid, earliest, latest)
	return slot + 1
}

// drop takes out a child that was reaped.
func (r *recorder) drop(slot int, now time.Duration) {
	if r == nil || slot == noSlot {
		return
	}
	slot--
	r.put32(recordHeader+slot*slotSize, 0)
	r.touch(now)
	r.free = append(r.free, uint16(slot))
}

// touch notes a time at which the keeper was there.
func (r *recorder) touch(now time.Duration) { r.put64(16, uint64(now)) }

// set fills a slot, which is in use only when all of it is there.
func (r *recorder) set(slot, pid int, earliest, latest time.Duration) {
	at := recordHeader + slot*slotSize
	r.put32(at, 0)
	r.put64(at+8, uint64(earliest))
	r.put64(at+16, uint64(latest))
	r.put32(at, uint32(pid))
}

// Both are stores that no compiler moves past another. Little endian is what
// all processors of Linux that Go knows are, or else the record is not
// readable, which ReadRecord notices.
func (r *recorder) put32(at int, v uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&r.mem[at])), v)
}

func (r *recorder) put64(at int, v uint64) {
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&r.mem[at])), v)
}
