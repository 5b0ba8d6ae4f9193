package proctree

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// MaxProcesses is how many processes a Tree has at most, maxThreads how many
// threads of each are looked at.
const (
	MaxProcesses = 400
	maxThreads   = 64
)

// A Tree is a process with everything below it.
type Tree struct {
	Processes []*Process // parents before their children
	Missed    int        // how many more were seen, at least
	uptime    time.Duration
}

// A Process is what /proc says of one.
type Process struct {
	Pid   int
	Depth int // below the root, which has 0
	linux.Stat
	Threads int
	Waits   []Waiting // of its threads, most first
	Command string    // quoted where needed; "" when it is not known
	Unread  bool      // the command line did not come in time
}

// Take reads the tree below the process root, which is its first process. It
// returns soon after ctx ends with what it has by then.
func Take(ctx context.Context, root int) *Tree {
	t := &Tree{uptime: linux.BootTime()}
	t.add(ctx, root, 0)
	readSlow(ctx, t.Processes)
	return t
}

func (t *Tree) add(ctx context.Context, pid, depth int) {
	if len(t.Processes) >= MaxProcesses || ctx.Err() != nil {
		t.Missed++
		return
	}
	s, err := linux.ReadStat(pid)
	if err != nil {
		return // it has ended
	}
	p := &Process{Pid: pid, Depth: depth, Stat: s}
	t.Processes = append(t.Processes, p)
	for _, c := range linux.Children(pid) {
		t.add(ctx, c, depth+1)
	}
}

// read fills in what may be slow to come.
func (p *Process) read() (q Process) {
	q = *p
	dir := "/proc/" + strconv.Itoa(p.Pid)
	q.Threads, q.Waits = threads(dir)
	b, _ := os.ReadFile(dir + "/cmdline")
	q.Command = command(b)
	return q
}

// maxCommand bounds what is shown of a command line.
const maxCommand = 300

// command returns a command line as it can be shown.
func command(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	cut := len(b) > maxCommand
	if cut {
		b = b[:maxCommand]
	}
	var s strings.Builder
	for i, arg := range strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00") {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(Plain(arg))
	}
	if cut {
		s.WriteString(" …")
	}
	return s.String()
}

// Plain returns s as one word that tells a terminal nothing: quoted if it has
// to be.
func Plain(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == ' ' || r == '"' {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}
