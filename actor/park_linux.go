package actor

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
)

// mark is how the method forkserver recognises programs that have this function in
// them. It has no other use.
const mark = "hatchery/zygote/pool/1"

// park waits for what to be, and becomes it. It returns an error when the
// channel is none.
func park(value string) error {
	if value == mark {
		return errors.New("it is not the number of a descriptor")
	}
	ch, err := zygote.Inherit(value)
	if err != nil {
		return err
	}
	if err := ch.Send(nil, zygote.Ready, zygote.Pool, zygote.Version); err != nil {
		return err
	}
	fields, fds, err := ch.Recv()
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		return err
	}
	if err != nil {
		syscall.Exit(0) // nobody needs it any more; not os.Exit, which takes a second under the race detector
	}
	run, err := zygote.ParseRun(fields)
	switch {
	case err != nil:
		return err
	case len(fds) != run.FDs():
		return fmt.Errorf("%d descriptors came: want %d", len(fds), run.FDs())
	}
	w := worker{run: run, channel: ch, fds: fds}
	what, err := w.become()
	report := zygote.Open(w.fds[0])
	if err != nil {
		report.Send(nil, zygote.Failed, what, strconv.Itoa(int(errnoOf(err))), err.Error())
		syscall.Exit(exitFailed)
	}
	if report.Send(nil, zygote.Started) != nil {
		syscall.Exit(exitFailed) // it was given up
	}
	report.Close()
	return nil
}

func errnoOf(err error) (errno syscall.Errno) {
	if !errors.As(err, &errno) {
		errno = syscall.EINVAL
	}
	return errno
}

// A worker is a process that was told what to be.
type worker struct {
	run     *zygote.Run
	channel *zygote.Channel
	fds     []int // the report, and those that settings take
}

// become applies the settings. It returns the one that could not be had.
func (w *worker) become() (what string, err error) {
	if what, err := w.descriptors(); err != nil {
		return what, err
	}
	next := 1
	for _, s := range w.run.Settings {
		name, value, _ := strings.Cut(s, "=")
		fd := -1
		if name == zygote.SetFD || s == zygote.SetCwd {
			fd = w.fds[next]
			next++
		}
		if err := w.set(name, value, fd); err != nil {
			return s, err
		}
	}
	os.Args = w.run.Args
	os.Clearenv()
	for _, kv := range w.run.Env {
		if name, v, ok := strings.Cut(kv, "="); ok && name != "" {
			os.Setenv(name, v)
		}
	}
	w.streams()
	return "", nil
}

// set applies one setting but for descriptors, which have their places already.
func (w *worker) set(name, value string, fd int) error {
	number := func() int { n, _ := strconv.Atoi(value); return n }
	switch name {
	case zygote.SetFD:
		return nil
	case zygote.SetCwd:
		defer syscall.Close(fd)
		return os.NewSyscallError("fchdir", syscall.Fchdir(fd))
	case zygote.SetUmask:
		mask, err := strconv.ParseUint(value, 8, 9)
		if err == nil {
			syscall.Umask(int(mask))
		}
		return err
	case zygote.SetLimit:
		return setLimit(value)
	case zygote.SetNice:
		return eachThread(func(tid int) error { return syscall.Setpriority(syscall.PRIO_PROCESS, tid, number()) })
	case zygote.SetAffinity:
		mask, err := hex.DecodeString(value)
		if err == nil {
			err = eachThread(func(tid int) error { return linux.SetAffinity(tid, mask) })
		}
		if err == nil && os.Getenv("GOMAXPROCS") == "" {
			runtime.SetDefaultGOMAXPROCS()
		}
		return err
	case zygote.SetOOM:
		return os.WriteFile("/proc/self/oom_score_adj", []byte(value), 0)
	case zygote.SetSession:
		_, err := syscall.Setsid()
		return err
	case zygote.SetGroup:
		return syscall.Setpgid(0, number())
	case zygote.SetTerminal:
		return linux.SetTerminal(number())
	case zygote.SetIgnore:
		signal.Ignore(syscall.Signal(number()))
		return nil
	}
	return syscall.ENOSYS
}

// setLimit sets a resource limit: resource, soft and hard.
func setLimit(value string) error {
	var v [3]int64
	fields := strings.Split(value, ":")
	if len(fields) != len(v) {
		return syscall.EINVAL
	}
	for i, f := range fields {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return err
		}
		v[i] = n
	}
	return syscall.Setrlimit(int(v[0]), &syscall.Rlimit{Cur: uint64(v[1]), Max: uint64(v[2])})
}

// eachThread calls f for each thread of this process, until no new ones come.
func eachThread(f func(tid int) error) error {
	done := map[int]bool{}
	for again := true; again; {
		again = false
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, task := range tasks {
			tid, _ := strconv.Atoi(task.Name())
			if done[tid] {
				continue
			}
			done[tid], again = true, true
			if err := f(tid); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
	}
	return nil
}

// streams makes the standard streams anew where the child's do not block: those
// of package os were made for what this process had before.
func (w *worker) streams() {
	for fd, f := range []**os.File{&os.Stdin, &os.Stdout, &os.Stderr} {
		old := *f
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
		if errno != 0 || flags&syscall.O_NONBLOCK == 0 {
			continue
		}
		*f = os.NewFile(uintptr(fd), old.Name())
		// The old one closes the descriptor when it is collected. It never is.
		time.AfterFunc(math.MaxInt64, func() { runtime.KeepAlive(old) })
	}
}

// lowest returns the first number above all that the child has.
func (w *worker) lowest() int {
	top := w.channel.FD()
	for _, n := range w.numbers() {
		top = max(top, n)
	}
	return top + 1
}

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

// descriptors gives the child's descriptors their numbers, and closes what was
// only there to keep these free. What initialisers of the program have opened
// stays where it is; a number of the child's among that is an error.
func (w *worker) descriptors() (what string, err error) {
	numbers, lowest, channel := w.numbers(), w.lowest(), w.channel.FD()
	for _, n := range numbers {
		if n > channel && !slices.Contains(w.fds, n) && open(n) {
			return zygote.SetFD + "=" + strconv.Itoa(n), fmt.Errorf("the program has opened this descriptor itself before it waited: %w", syscall.EBUSY)
		}
	}
	for i, fd := range w.fds { // out of the way
		up, err := linux.DupAbove(fd, lowest)
		if err != nil {
			return zygote.SetFD, err
		}
		syscall.Close(fd)
		w.fds[i] = up
	}
	w.channel.Close()
	for n := 3; n < channel; n++ {
		if !slices.Contains(numbers, n) {
			syscall.Close(n)
		}
	}
	for i, n := range numbers {
		if n < 0 {
			continue
		}
		if err := syscall.Dup3(w.fds[i+1], n, 0); err != nil {
			return zygote.SetFD + "=" + strconv.Itoa(n), os.NewSyscallError("dup3", err)
		}
		syscall.Close(w.fds[i+1])
	}
	return "", nil
}

func open(fd int) bool {
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno == 0
}
