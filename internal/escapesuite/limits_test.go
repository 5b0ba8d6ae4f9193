//go:build linux

package escapesuite

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// onLimits are the attempts to use up what all share. Each goes a little beyond a
// limit of the Spec, and without one stops there.
func onLimits() []attempt {
	limit := func(resource int, n uint64) func(*scene) {
		return func(s *scene) {
			s.spec = func(sp *spawn.Spec) {
				sp.Limits = append(sp.Limits, spawn.Limit{Resource: resource, Soft: n, Hard: n})
			}
		}
	}
	stops := []layer{limitLayer}
	return []attempt{
		{
			name: "fork-bomb", what: "start processes without end", plain: true, hostProfile: true, stops: stops, scene: limitForks, try: fork, want: []syscall.Errno{syscall.EAGAIN},
		},
		{
			name: "descriptor-bomb", what: "open descriptors without end", plain: true, stops: stops, scene: limit(unix.RLIMIT_NOFILE, 64), want: []syscall.Errno{syscall.EMFILE},
			try: func([]string) error {
				syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1000, Max: 1000})
				for range 200 {
					if _, err := unix.Dup(0); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "memory-bomb", what: "take memory without end", plain: true, stops: stops, scene: limit(unix.RLIMIT_AS, 8<<30), want: []syscall.Errno{syscall.ENOMEM},
			try: func([]string) error {
				for range 16 { // none of it is touched
					if _, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "big-file", what: "write a file without end", plain: true, stops: stops, scene: limit(unix.RLIMIT_FSIZE, 1<<20), want: []syscall.Errno{syscall.EFBIG},
			try: fill,
		},
		{
			name: "raise-a-limit", what: "raise a limit that it was given", plain: true, stops: append(stops, rightsLayer), want: []syscall.Errno{syscall.EPERM},
			needs: rootWith(unix.CAP_SYS_RESOURCE), scene: limit(unix.RLIMIT_NOFILE, 64),
			try: func([]string) error {
				var l syscall.Rlimit
				if err := syscall.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
					return err
				}
				if l.Max > 64 { // nobody has set one
					l = syscall.Rlimit{Cur: 64, Max: 64}
					if err := syscall.Setrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
						return err
					}
				}
				l.Max++
				return syscall.Setrlimit(unix.RLIMIT_NOFILE, &l)
			},
		},
	}
}

func number(s string) int { n, _ := strconv.Atoi(s); return n }
