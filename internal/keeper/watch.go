//go:build unix

package keeper

import (
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A watch is a number to look at.
type watch struct {
	exceeded    spawn.Exceeded
	folder      int // a descriptor
	file, key   string
	limit, rate int64
	timer       *time.Timer // nil without a rate
}

// leastPause is the time between two looks at a number that is about to reach its
// limit: a tick of the kernel's, by which it counts time on the processors.
const leastPause = 4 * time.Millisecond

// pause returns for how long the number stays below its limit, whatever the child
// does.
func (w *watch) pause(value int64) time.Duration {
	seconds := float64(w.limit-value) / float64(w.rate)
	if seconds > maxPause.Seconds() {
		return maxPause
	}
	return max(leastPause, time.Duration(seconds*float64(time.Second)))
}

// maxPause bounds what a mistake about the rate costs.
const maxPause = time.Minute

// read returns the number: that behind the key, or the first of the file.
func (w *watch) read() (int64, error) {
	var buf [4096]byte
	b, err := linux.ReadFileAt(w.folder, w.file, buf[:])
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b))
	if w.key == "" && len(f) > 0 {
		return strconv.ParseInt(f[0], 10, 64)
	}
	for i := 0; i+1 < len(f); i += 2 {
		if f[i] == w.key {
			return strconv.ParseInt(f[i+1], 10, 64)
		}
	}
	return 0, syscall.ENOENT
}
