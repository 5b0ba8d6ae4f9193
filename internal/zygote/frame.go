package zygote

import (
	"errors"
	"strconv"
	"strings"
)

// Variable is the environment variable that has the number of a zygote's end of
// its channel.
const Variable = "HATCHERY_ZYGOTE"

// Version is that of the protocol.
const Version = "1"

// The kinds of zygotes.
const (
	Pool = "pool" // it becomes the child itself
	Fork = "fork" // it makes children by fork
)

// The first fields of frames.
const (
	Ready   = "ready"   // zygote to keeper: kind, version
	Make    = "fork"    // keeper to zygote: id, when; with it the channel of the process to be made
	Born    = "born"    // zygote to keeper: id, pid
	Refused = "refused" // zygote to keeper: id, errno, text
	Start   = "run"     // keeper to zygote: see Run
	Started = "started" // child to keeper, on the report
	Failed  = "failed"  // child to keeper, on the report: what, errno, text
)

// When a process that is to be made is needed.
const (
	Now   = "now"   // somebody waits for it: it will be told at once what to be
	Ahead = "ahead" // there is time for everything that can be done before
)

// A Run says what a child is to be. The descriptors come with it: the report
// first, then one for each setting that takes one, in their order.
type Run struct {
	ID       string
	Settings []string
	Args     []string
	Env      []string
}

// Settings that take a descriptor, and those that are words alone. All others
// are a name, "=", and a value.
const (
	SetFD       = "fd"            // N: it becomes the child's descriptor N
	SetCwd      = "cwd"           // it is the working directory
	SetUmask    = "umask"         // octal
	SetLimit    = "rlimit"        // resource ":" soft ":" hard, -1 for no limit
	SetNice     = "nice"          // -20 to 19
	SetAffinity = "affinity"      // hexadecimal bytes of the mask, the lowest processors first
	SetOOM      = "oom_score_adj" // -1000 to 1000
	SetSession  = "session"       // setsid(2)
	SetGroup    = "group"         // setpgid(2): the group, 0 for one of its own
	SetTerminal = "terminal"      // N: the child's descriptor that becomes its controlling terminal
	SetFront    = "foreground"    // N ":" group: it comes to the foreground of the terminal that is the child's descriptor N, 0 for the child's own
	SetIgnore   = "ignore"        // the number of a signal
)

// Fields returns what is sent of a run.
func (r *Run) Fields() []string {
	f := make([]string, 0, 5+len(r.Settings)+len(r.Args)+len(r.Env))
	f = append(f, Start, r.ID)
	for _, list := range [][]string{r.Settings, r.Args, r.Env} {
		f = append(f, strconv.Itoa(len(list)))
		f = append(f, list...)
	}
	return f
}

// ErrFrame says that what came is no frame of this protocol.
var ErrFrame = errors.New("zygote: malformed frame")

// ParseRun reads what Fields returned.
func ParseRun(fields []string) (*Run, error) {
	if len(fields) < 2 || fields[0] != Start {
		return nil, ErrFrame
	}
	r := &Run{ID: fields[1]}
	rest := fields[2:]
	for _, list := range []*[]string{&r.Settings, &r.Args, &r.Env} {
		if len(rest) == 0 {
			return nil, ErrFrame
		}
		n, err := strconv.Atoi(rest[0])
		if err != nil || n < 0 || n > len(rest)-1 {
			return nil, ErrFrame
		}
		*list, rest = rest[1:1+n:1+n], rest[1+n:]
	}
	if len(rest) > 0 {
		return nil, ErrFrame
	}
	return r, nil
}

// takesFD reports whether a descriptor belongs to a setting.
func takesFD(setting string) bool {
	return setting == SetCwd || strings.HasPrefix(setting, SetFD+"=")
}

// FDs returns how many descriptors belong to the run, the report included.
func (r *Run) FDs() int {
	n := 1
	for _, s := range r.Settings {
		if takesFD(s) {
			n++
		}
	}
	return n
}
