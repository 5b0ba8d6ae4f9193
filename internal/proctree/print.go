package proctree

import (
	"fmt"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// Append appends the tree as text: a line for each process, and one for what
// its threads wait in.
func (t *Tree) Append(b []byte) []byte {
	for _, p := range t.Processes {
		b = fmt.Appendf(b, "%*s%d %s  parent %d, group %d, session %d, %s, started %s\n", 2+2*p.Depth, "",
			p.Pid, Plain(p.Comm), p.Parent, p.Group, p.Session, StateName(p.State), t.age(p.StartTime))
		b = p.appendMore(b, fmt.Sprintf("%*s", 6+2*p.Depth, ""))
	}
	switch {
	case t.Missed > 0:
		b = fmt.Appendf(b, "  and %d more at least: %d are shown at most, and what there was time for\n", t.Missed, MaxProcesses)
	case len(t.Processes) == 0:
		b = append(b, "  none\n"...)
	}
	return b
}

func (p *Process) appendMore(b []byte, indent string) []byte {
	switch {
	case p.Unread:
		return fmt.Appendf(b, "%sits command line and threads could not be read in time\n", indent)
	case p.Command != "":
		b = fmt.Appendf(b, "%s%s\n", indent, p.Command)
	}
	if p.State == 'Z' || p.Threads == 0 {
		return b
	}
	b = fmt.Appendf(b, "%s%s:", indent, plural(p.Threads, "thread"))
	for i, w := range p.Waits {
		if i > 0 {
			b = append(b, ';')
		}
		if p.Threads > 1 {
			b = fmt.Appendf(b, " %d", w.Threads)
		}
		b = fmt.Appendf(b, " %c", w.State)
		if w.Call != "" {
			b = fmt.Appendf(b, " in %s", w.Call)
		}
		if w.Channel != "" {
			b = fmt.Appendf(b, " at %s", w.Channel)
		}
	}
	return append(b, '\n')
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprint(n, " ", word, "s")
}

// age says how long ago something began, by the clock of Stat.StartTime.
func (t *Tree) age(ticks uint64) string {
	d := t.uptime - time.Duration(ticks)*time.Second/linux.TicksPerSecond
	return max(0, d).Round(10*time.Millisecond).String() + " ago"
}

// StateName says in words what the letter of proc(5) means.
func StateName(s byte) string {
	switch s {
	case 'R':
		return "running"
	case 'S':
		return "sleeping"
	case 'D':
		return "in uninterruptible sleep"
	case 'T':
		return "stopped"
	case 't':
		return "stopped by a debugger"
	case 'Z':
		return "a zombie"
	case 'X':
		return "dead"
	case 'I':
		return "idle"
	}
	return "in state " + string(rune(s))
}
