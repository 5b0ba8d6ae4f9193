package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A report is what --report writes.
type report struct {
	Backend   string   `json:"backend"`
	Pid       int      `json:"pid"`   // 0 for a child that is not a local process
	Start     string   `json:"start"` // warm for a child that was handed over by a process that was ready, else cold
	Exit      exit     `json:"exit"`
	Rusage    rusage   `json:"rusage"`
	Timings   times    `json:"timings_us"`
	Notes     []string `json:"notes"`     // of the method on how it made the child
	Leftovers []string `json:"leftovers"` // what could not be ended
}

type exit struct {
	Code   int    `json:"code"`   // -1 when a signal ended the child or nobody knows
	Signal string `json:"signal"` // like SIGKILL, or empty
	Core   bool   `json:"core"`
	Source string `json:"source"` // kernel, backend or lost

	Exceeded []string `json:"exceeded"` // limits that it ran into: memory, pids, wall, cpu_time
}

type rusage struct {
	User          int64 `json:"user_us"`
	System        int64 `json:"system_us"`
	MaxRSS        int64 `json:"max_rss_bytes"`
	MinorFaults   int64 `json:"minor_faults"`
	MajorFaults   int64 `json:"major_faults"`
	BlocksIn      int64 `json:"blocks_in"`
	BlocksOut     int64 `json:"blocks_out"`
	VoluntaryCS   int64 `json:"voluntary_cs"`
	InvoluntaryCS int64 `json:"involuntary_cs"`
}

func startOf(p process) string {
	if p.Warm() {
		return "warm"
	}
	return "cold"
}

func newReport(c *child, s spawn.ExitStatus, left error) *report {
	u := s.Rusage
	r := &report{
		Backend: string(c.job.entry.Key), Pid: c.process.Pid(), Start: startOf(c.process), Timings: c.times, Notes: append([]string{}, c.process.Notes()...), Leftovers: []string{},
		Exit: exit{s.Code, "", s.Core, string(s.Source), s.Exceeded.Names()},
		Rusage: rusage{
			u.UserTime.Microseconds(), u.SystemTime.Microseconds(), u.MaxRSS, u.MinorFaults, u.MajorFaults,
			u.BlocksIn, u.BlocksOut, u.VoluntaryCS, u.InvoluntaryCS,
		},
	}
	if s.Signaled() {
		r.Exit.Signal = signalName(s.Signal)
	}
	if left != nil {
		r.Leftovers = append(r.Leftovers, left.Error())
	}
	return r
}

// write replaces the file as a whole: whoever reads it sees this report or
// what was there before. What is no regular file, /dev/stderr for one, is
// written to instead.
func (r *report) write(path string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	err = replace(path, append(text, '\n'))
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err // its path may be that of the temporary file
	}
	if err != nil {
		return fmt.Errorf("--report %s: %w", path, err)
	}
	return nil
}

func replace(path string, text []byte) error {
	path = followLinks(path)
	if n, ok := descriptor(path); ok {
		// Opening it again would write over what stands there.
		_, err := openFile(n).Write(text)
		return err
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		// Not blocking, as a FIFO that nobody reads would.
		return writeTo(path, os.O_WRONLY|syscall.O_NONBLOCK, text)
	}
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+strconv.Itoa(os.Getpid()))
	err := writeTo(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, text)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}

// followLinks returns what path leads to, so that the link itself stays. It
// stops at a descriptor of this process: what that leads to is somebody's open
// file, which must not be replaced.
func followLinks(path string) string {
	for range 40 { // as many as the kernel follows
		target, err := os.Readlink(path)
		if _, isOpen := descriptor(path); isOpen || err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return path
}

// descriptor returns the number of the open descriptor that path stands for.
func descriptor(path string) (n uint64, ok bool) {
	switch path {
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if number, found := strings.CutPrefix(path, dir); found {
			n, err := strconv.ParseUint(number, 10, 31)
			return n, err == nil
		}
	}
	return 0, false
}

// openFile returns an open descriptor as a file, which is not to be closed:
// the process is about to end.
func openFile(n uint64) *os.File {
	switch n {
	case 1:
		return os.Stdout
	case 2:
		return os.Stderr
	}
	return os.NewFile(uintptr(n), "")
}

func writeTo(path string, flags int, text []byte) error {
	f, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
