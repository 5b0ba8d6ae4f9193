//go:build unix

package keeper

import (
	"encoding/binary"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// lostStatus stands for a status that could not be had. The kernel has none
// like it: it would be "continued" and "stopped" at once.
const lostStatus = syscall.WaitStatus(0xffff_7f7f)

// exitSize is the size of an exit record.
const exitSize = 8 + 4 + 4 + 10*8 + 1

func appendExit(b []byte, id uint64, pid int, ws syscall.WaitStatus, u *syscall.Rusage, now time.Time, left bool, exceeded spawn.Exceeded) []byte {
	le := binary.LittleEndian
	b = le.AppendUint64(b, id)
	b = le.AppendUint32(b, uint32(pid))
	b = le.AppendUint32(b, uint32(ws))
	for _, v := range [...]int64{
		now.UnixNano(), u.Utime.Nano(), u.Stime.Nano(), int64(u.Maxrss) * maxrssUnit,
		int64(u.Minflt), int64(u.Majflt), int64(u.Inblock), int64(u.Oublock), int64(u.Nvcsw), int64(u.Nivcsw),
	} {
		b = le.AppendUint64(b, uint64(v))
	}
	flags := byte(exceeded << 1)
	if left {
		flags |= exitLeft
	}
	return append(b, flags)
}

// exitLeft is a bit of the last byte of a record; the others are the limits that
// the child ran into.
const exitLeft = 1

// parseExit reads one record of at least exitSize bytes.
func parseExit(b []byte) Exit {
	le := binary.LittleEndian
	var v [10]int64
	for i := range v {
		v[i] = int64(le.Uint64(b[16+8*i:]))
	}
	ws := syscall.WaitStatus(le.Uint32(b[12:]))
	e := Exit{ID: le.Uint64(b), Pid: int(le.Uint32(b[8:])), Left: b[exitSize-1]&exitLeft != 0}
	e.Status = spawn.ExitStatus{
		Code: -1, Source: spawn.FromKernel, Time: time.Unix(0, v[0]),
		Rusage: spawn.Rusage{
			UserTime: time.Duration(v[1]), SystemTime: time.Duration(v[2]), MaxRSS: v[3],
			MinorFaults: v[4], MajorFaults: v[5], BlocksIn: v[6], BlocksOut: v[7],
			VoluntaryCS: v[8], InvoluntaryCS: v[9],
		},
	}
	switch {
	case ws == lostStatus:
		e.Status = spawn.LostStatus("the keeper could not reap the child")
	case ws.Exited():
		e.Status.Code = ws.ExitStatus()
	case ws.Signaled():
		e.Status.Signal, e.Status.Core = ws.Signal(), ws.CoreDump()
	}
	e.Status.Exceeded = spawn.Exceeded(b[exitSize-1] >> 1)
	return e
}
