package actor

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
)

// numbers returns the child's descriptors, -1 for those that it does not get to
// keep, as they go with fds but the first.
func (w *worker) numbers() []int {
	var list []int
	for _, s := range w.run.Settings {
		if value, ok := strings.CutPrefix(s, zygote.SetFD+"="); ok {
			n, _ := strconv.Atoi(value)
			list = append(list, n)
		} else if s == zygote.SetCwd {
			list = append(list, -1)
		}
	}
	return list
}

// place gives the child's descriptors their numbers. What initialisers of the
// program have opened stays where it is; a number of the child's among that is an
// error.
func (w *worker) place() (what string, err error) {
	w.files = w.numbers()
	channel, aside := w.channel.FD(), false
	for _, n := range w.files {
		own := n == channel || slices.Contains(w.fds, n)
		if n > channel && !own && open(n) {
			return zygote.SetFD + "=" + strconv.Itoa(n), fmt.Errorf("the program has opened this descriptor itself before it waited: %w", syscall.EBUSY)
		}
		aside = aside || own
	}
	if aside {
		if err := w.moveAside(); err != nil {
			return zygote.SetFD, err
		}
	}
	for i, n := range w.files {
		if n < 0 {
			continue
		}
		if err := syscall.Dup3(w.fds[i+1], n, 0); err != nil {
			return zygote.SetFD + "=" + strconv.Itoa(n), os.NewSyscallError("dup3", err)
		}
	}
	return "", nil
}

// moveAside gives what has come numbers above all that the child has.
func (w *worker) moveAside() error {
	lowest := max(w.channel.FD(), slices.Max(w.files)) + 1
	for i, fd := range w.fds {
		up, err := linux.DupAbove(fd, lowest)
		if err != nil {
			return err
		}
		linux.Close(fd)
		w.fds[i] = up
	}
	return nil
}

// rest returns what is to be closed: what was only there to keep the child's
// numbers free, the channel, and what has come but for the report.
func (w *worker) rest() []int {
	list := slices.Clone(w.fds[1:])
	for n := 3; n <= w.channel.FD(); n++ {
		list = append(list, n)
	}
	list = slices.DeleteFunc(list, func(n int) bool { return slices.Contains(w.files, n) })
	slices.Sort(list)
	return list
}

// closeAll closes descriptors, which are sorted.
func closeAll(list []int) {
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n] == list[0]+n {
			n++
		}
		linux.CloseRange(list[0], list[n-1])
		list = list[n:]
	}
}

func open(fd int) bool {
	_, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno == 0
}
