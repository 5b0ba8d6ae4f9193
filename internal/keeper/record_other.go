//go:build unix && !linux

package keeper

import (
	"errors"
	"time"
)

// recorder records nothing where a process cannot be told by its start time.
type recorder struct{}

const noSlot = 0

func newRecorder(path string, pid int) (*recorder, error) { return nil, errors.ErrUnsupported }

func (r *recorder) add(pid int, earliest, latest time.Duration) int { return noSlot }

func (r *recorder) drop(slot int, now time.Duration) {}

func (r *recorder) set(slot, pid int, earliest, latest time.Duration) {}

func (r *recorder) touch(now time.Duration) {}
