package spawn

import (
	"strings"
	"time"
)

// Kinds of templates.
const (
	PoolTemplate = "pool" // a process that becomes one child
	ForkTemplate = "fork" // one that a process has made of itself, and that becomes one child
)

// A Template says how children of a plan are had from processes that were made
// ready ahead: see [Handoff]. The processes run the child's own program, under
// the identity that the child's steps give it.
type Template struct {
	// Kind is PoolTemplate or ForkTemplate.
	Kind string

	// Args is the argument list with which such a process is started, Args[0]
	// first. An empty one is the child's Args[0] alone.
	Args []string

	// Env is the environment with which it is started: "NAME=value" is that
	// entry, "NAME" the child's own entry of that name if it has one, and
	// "NAME*" all of the child's whose names begin with NAME. Children with
	// other values have another template.
	Env []string

	// Here says that it is started in the child's working directory, and
	// serves children of that directory alone: what it becomes depends on
	// where it is started. Otherwise that is the root directory.
	Here bool

	// Min is how many stay ready, and Max how many may be, for children to
	// come. Of the kind fork the process that makes them comes on top.
	Min, Max int

	// Idle is how long those above Min stay ready that nobody wants, and with
	// a Min of 0 what makes them; 0 means for ever.
	Idle time.Duration

	// Memory bounds what those that are ready take, in bytes of proportional
	// set size; 0 means no bound.
	Memory int64

	// Required says that a child is not started in another way where there can
	// be no such processes.
	Required bool
}

// Handoff stands before the clone, as the first step of a plan, and says that
// the child is not to be cloned: a process takes its place that was made ready
// ahead, with the program loaded and initialised. The steps behind it say what the
// child is, as they would without it. Those that cannot be had in this way are an
// error.
//
// It is the keeper's step.
func Handoff(t Template) Step {
	flag := func(b bool) Arg {
		if b {
			return Int(1)
		}
		return Int(0)
	}
	return step(OpHandoff, Str(t.Kind), Str(strings.Join(t.Args, "\x00")), Str(strings.Join(t.Env, "\x00")),
		Int(int64(t.Min)), Int(int64(t.Max)), Int(int64(t.Idle)), Int(t.Memory), flag(t.Required), flag(t.Here))
}

// Template returns what [Handoff] was given that made s. It reports false for
// any other step, and for one that Handoff cannot have made.
func (s Step) Template() (Template, bool) {
	const args = 9
	if s.Op != OpHandoff || len(s.Args) != args {
		return Template{}, false
	}
	for i, a := range s.Args {
		if i < 3 && a.Kind != ArgStr || i >= 3 && a.Kind != ArgInt {
			return Template{}, false
		}
	}
	num := func(i int) int64 { return s.Args[i].Num }
	list := func(i int) []string {
		if s.Args[i].Str == "" {
			return nil
		}
		return strings.Split(s.Args[i].Str, "\x00")
	}
	t := Template{
		Kind: s.Args[0].Str, Args: list(1), Env: list(2),
		Min: int(num(3)), Max: int(num(4)), Idle: time.Duration(num(5)), Memory: num(6), Required: num(7) != 0, Here: num(8) != 0,
	}
	ok := (t.Kind == PoolTemplate || t.Kind == ForkTemplate) && t.Min >= 0 && t.Max >= t.Min && t.Idle >= 0 && t.Memory >= 0
	return t, ok
}
