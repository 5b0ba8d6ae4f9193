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
	rehearse()
	if err := ch.Send(nil, zygote.Ready, zygote.Pool, zygote.Version); err != nil {
		return err
	}
	fields, fds, err := ch.RecvLast()
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
	linux.Close(report.FD())
	return nil
}

// rehearse does what is to be done later, as far as it changes nothing: what the
// program and the runtime need for it is in memory then.
func rehearse() {
	a, b, err := zygote.Pair()
	if err != nil {
		return
	}
	from, to := zygote.Open(a), zygote.Open(b)
	defer to.Close()
	run := zygote.Run{Settings: []string{zygote.SetFD + "=0", zygote.SetGroup + "=0", zygote.SetLimit + "=0:0:0", zygote.SetCwd, zygote.SetUmask + "=0"}, Args: os.Args, Env: os.Environ()}
	err = from.Send([]int{a, a, a}, run.Fields()...)
	from.Close()
	if err != nil {
		return
	}
	fields, fds, err := to.RecvLast()
	if err != nil {
		return
	}
	w := worker{channel: to, fds: fds}
	if w.run, err = zygote.ParseRun(fields); err != nil {
		return
	}
	w.files = w.numbers()
	w.rest()
	closeAll(fds)
	w.setenv()
	w.streams()
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
	files   []int // the numbers that these get, -1 for none; not of the report
}

// become applies the settings. It returns the one that could not be had.
func (w *worker) become() (what string, err error) {
	if what, err := w.place(); err != nil {
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
	closeAll(w.rest())
	os.Args = w.run.Args
	w.setenv()
	w.streams()
	return "", nil
}

// setenv makes the environment the child's.
func (w *worker) setenv() {
	os.Clearenv()
	for _, kv := range w.run.Env {
		if name, v, ok := strings.Cut(kv, "="); ok && name != "" {
			os.Setenv(name, v)
		}
	}
}

// set applies one setting but for descriptors, which have their places already.
func (w *worker) set(name, value string, fd int) error {
	number := func() int { n, _ := strconv.Atoi(value); return n }
	switch name {
	case zygote.SetFD:
		return nil
	case zygote.SetCwd:
		return os.NewSyscallError("fchdir", linux.Fchdir(fd))
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
	case zygote.SetFront:
		return setFront(value)
	case zygote.SetIgnore:
		signal.Ignore(syscall.Signal(number()))
		return nil
	}
	return syscall.ENOSYS
}

// setFront brings a process group to the foreground of a terminal: descriptor and group.
func setFront(value string) error {
	terminal, group, _ := strings.Cut(value, ":")
	fd, err := strconv.Atoi(terminal)
	if err != nil {
		return err
	}
	pgid, err := strconv.Atoi(group)
	if err != nil {
		return err
	}
	if pgid == 0 {
		pgid = syscall.Getpgrp()
	}
	return linux.SetForeground(fd, pgid)
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
		flags, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
		if errno != 0 || flags&syscall.O_NONBLOCK == 0 {
			continue
		}
		*f = os.NewFile(uintptr(fd), old.Name())
		// The old one closes the descriptor when it is collected. It never is.
		time.AfterFunc(math.MaxInt64, func() { runtime.KeepAlive(old) })
	}
}
