package keeper

import (
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"time"
)

// RecordPrefix is what the name of a keeper's record in the host's runtime
// folder begins with; the keeper's pid follows.
const RecordPrefix = "children-"

// A Record is what a keeper has noted of its descendants, in a file that is
// there after it was killed. See ReadRecord.
type Record struct {
	Keeper  int           // pid
	Touched time.Duration // when the last note was made, since boot
	Missed  uint64        // children for which there was no room
	Entries []Entry
}

// An Entry is one process that a keeper knew to be below it: the process with
// this pid whose start lies between Earliest and Latest, times since boot. There
// was one, it lived then, and as long as it lives nobody else can have its pid.
type Entry struct {
	Pid              int
	Earliest, Latest time.Duration

	// Held is a time until which the pid was this process's own, though it
	// may have been a zombie.
	Held time.Duration

	// Child says that it was made by the keeper, and was not reaped.
	Child bool
}

// The format of a record: a header and slots of fixed size, little endian.
//
//	header  magic [8], slots uint32, keeper uint32, touched int64, missed uint64
//	slot    pid uint32 (0: none), 0 uint32, earliest int64, latest int64
//
// The first childSlots slots are children of the keeper, noted at birth and
// taken out when they are reaped. The others are what was seen below them.
const (
	recordMagic  = "hatchry1"
	recordHeader = 32
	slotSize     = 24
	childSlots   = 4096
	otherSlots   = 4096
	recordSize   = recordHeader + (childSlots+otherSlots)*slotSize
)

// ReadRecord reads the record of a keeper.
func ReadRecord(path string) (Record, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Record{}, err
	}
	le := binary.LittleEndian
	if len(b) != recordSize || string(b[:len(recordMagic)]) != recordMagic || le.Uint32(b[8:]) != childSlots+otherSlots {
		return Record{}, &os.PathError{Op: "read", Path: path, Err: errors.New("not a keeper's record")}
	}
	r := Record{Keeper: int(le.Uint32(b[12:])), Touched: time.Duration(le.Uint64(b[16:])), Missed: le.Uint64(b[24:])}
	for i := range childSlots + otherSlots {
		s := b[recordHeader+i*slotSize:]
		pid := le.Uint32(s)
		if pid == 0 {
			continue
		}
		e := Entry{Pid: int(pid), Earliest: time.Duration(le.Uint64(s[8:])), Latest: time.Duration(le.Uint64(s[16:]))}
		e.Held = e.Latest
		if i < childSlots { // taken out only when reaped
			e.Held, e.Child = max(e.Latest, r.Touched), true
		}
		r.Entries = append(r.Entries, e)
	}
	return r, nil
}

// RecordPath is where the keeper with this pid puts its record.
func RecordPath(folder string, pid int) string {
	return folder + "/" + RecordPrefix + strconv.Itoa(pid)
}
