//go:build !linux

package linux

import (
	"errors"
	"syscall"
	"time"
)

// PidfdOpen returns errors.ErrUnsupported.
func PidfdOpen(pid int) (int, error) { return -1, errors.ErrUnsupported }

// PidfdSignal returns errors.ErrUnsupported.
func PidfdSignal(fd int, sig syscall.Signal) error { return errors.ErrUnsupported }

// PidfdSignalGroup returns errors.ErrUnsupported.
func PidfdSignalGroup(fd int, sig syscall.Signal) error { return errors.ErrUnsupported }

// AwaitExit returns at once: it is not known here.
func AwaitExit(pidfd int, limit time.Duration) {}

// Exited reports false: it is not known here.
func Exited(pidfd int) bool { return false }

// BecomeSubreaper returns errors.ErrUnsupported.
func BecomeSubreaper() error { return errors.ErrUnsupported }

// TimerSlack returns 0.
func TimerSlack() time.Duration { return 0 }

// SetTimerSlack does nothing.
func SetTimerSlack(time.Duration) {}

// Yield does nothing.
func Yield() {}

// OwnFS returns errors.ErrUnsupported.
func OwnFS() error { return errors.ErrUnsupported }

// LandlockABI returns errors.ErrUnsupported.
func LandlockABI() (int, error) { return 0, errors.ErrUnsupported }

// SetName returns errors.ErrUnsupported.
func SetName(name string) error { return errors.ErrUnsupported }

// DefaultSignal returns errors.ErrUnsupported.
func DefaultSignal(sig syscall.Signal) error { return errors.ErrUnsupported }

// DeafTo returns errors.ErrUnsupported.
func DeafTo(sig syscall.Signal) error { return errors.ErrUnsupported }

// Ignored reports false: it is not known here.
func Ignored(sig syscall.Signal) bool { return false }

// Children returns none: it is not known here.
func Children(pid int) []int { return nil }

// Adopted returns none: it is not known here.
func Adopted() []int { return nil }

// Parents reports that it is not known.
func Parents(known map[int]bool) (parents map[int]bool, ok bool) { return nil, false }

// Childless reports false: it is not known here.
func Childless(pid int) bool { return false }

// GroupOf returns 0: it is not known here.
func GroupOf(pid int) (group, session int) { return 0, 0 }

// Ticks returns 0: it is not known here.
func Ticks() uint64 { return 0 }

// A Stat is what is known of a process.
type Stat struct {
	Comm      string
	State     byte
	Parent    int
	Group     int
	Session   int
	StartTime uint64
}

// ReadStat returns errors.ErrUnsupported.
func ReadStat(pid int) (Stat, error) { return Stat{}, errors.ErrUnsupported }

// TryRead returns errors.ErrUnsupported.
func TryRead(fd int, b []byte) (n int, err error) { return 0, errors.ErrUnsupported }

// AwaitInput returns at once: it is not known here.
func AwaitInput(fd int, limit time.Duration) {}

// ProgramWritable reports false: there are no sandboxes to which it would matter.
func ProgramWritable() bool { return false }
