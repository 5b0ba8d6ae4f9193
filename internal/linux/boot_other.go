//go:build !linux

package linux

import (
	"errors"
	"runtime"
	"time"
)

// TicksPerSecond is the unit of Stat.StartTime.
const TicksPerSecond = 100

// BootTime returns 0: it is not known here.
func BootTime() time.Duration { return 0 }

// ThreadTime returns 0: it is not known here.
func ThreadTime() time.Duration { return 0 }

// BootID returns "": it is not known here.
func BootID() string { return "" }

// PidSpace returns "": it is not known here.
func PidSpace() string { return "" }

// Queued returns errors.ErrUnsupported.
func Queued(fd int) (out, in int, err error) { return 0, 0, errors.ErrUnsupported }

// Kernel returns the name of the system.
func Kernel() string { return runtime.GOOS }

// SyscallName returns "": it is not known here.
func SyscallName(number int) string { return "" }
