package spawn

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A Plan is what a backend makes of a Spec: the steps, in order, that turn a
// freshly cloned process into the child. The first step is always the clone,
// the last always an exec; everything between runs in the child before it
// becomes the program. The keeper executes it.
type Plan struct {
	Steps []Step

	// Reusable says that the plan serves every Spec of the same shape
	// ([Spec.Shape]): the host fills in program, arguments, environment,
	// directory and descriptors and does not ask the backend again.
	Reusable bool

	// Basis, when not nil, lets the host use a plan again that is not Reusable and
	// has no Files: for a Spec that is the same but for the descriptors and for
	// arguments that do not count, as long as all that the plan was made from is as
	// it was. Without it such a plan is made for each child; one that begins with
	// [Handoff] may serve the same command again for a second.
	Basis *Basis

	// Notes tell people what the plan does not: which of several ways the
	// backend took, and what the child goes without because that was allowed.
	// They change nothing.
	Notes []string

	// Files are descriptors that steps refer to by index ([FD]). A plan
	// that is not reusable owns them: whoever executes or drops it closes
	// them. Those of a reusable plan stay open as long as the host keeps it.
	Files []*os.File
}

// A Step is one named operation of a plan: a system call as data.
type Step struct {
	Op   Op
	Args []Arg

	// Note is what the error says should the step fail, in place of the
	// step's text: in words, what it was for and what would help.
	Note string
}

// Noted returns the step with a note.
func (s Step) Noted(note string) Step { s.Note = note; return s }

// ArgKind says what an argument of a step is.
type ArgKind uint8

// Kinds of arguments.
const (
	ArgInt    ArgKind = iota + 1 // Num itself
	ArgStr                       // the bytes of Str
	ArgFD                        // the descriptor attached as Plan.Files[Num]
	ArgResult                    // what the step with index Num returned
	ArgHole                      // what the Spec says: Num is a Hole
)

// An Arg is one argument of a step.
type Arg struct {
	Kind ArgKind
	Num  int64
	Str  string
}

// A Hole is a part of the Spec that the host fills in for each child.
type Hole int64

// The holes of a plan.
const (
	HolePath Hole = iota + 1 // the resolved program
	HoleArgs                 // the argument list
	HoleEnv                  // the environment
	HoleDir                  // the working directory
	HoleCwd                  // the same as a path from the root, the host's own where the Spec has none
)

// Int returns the argument n.
func Int(n int64) Arg { return Arg{Kind: ArgInt, Num: n} }

// Str returns the argument s.
func Str(s string) Arg { return Arg{Kind: ArgStr, Str: s} }

// FD returns the argument that stands for the attached descriptor
// Plan.Files[i].
func FD(i int) Arg { return Arg{Kind: ArgFD, Num: int64(i)} }

// Result returns the argument that stands for what the step with index i of
// the same plan returned, such as the descriptor of an open.
func Result(i int) Arg { return Arg{Kind: ArgResult, Num: int64(i)} }

// Arg returns the argument that stands for the hole.
func (h Hole) Arg() Arg { return Arg{Kind: ArgHole, Num: int64(h)} }

// String returns the hole as `hatchery plan` prints it.
func (h Hole) String() string {
	switch h {
	case HolePath:
		return "{path}"
	case HoleArgs:
		return "{argv}"
	case HoleEnv:
		return "{envp}"
	case HoleDir:
		return "{dir}"
	case HoleCwd:
		return "{cwd}"
	}
	return fmt.Sprintf("{hole %d}", int64(h))
}

// String returns the argument as `hatchery plan` prints it.
func (a Arg) String() string {
	switch a.Kind {
	case ArgInt:
		return fmt.Sprint(a.Num)
	case ArgStr:
		return fmt.Sprintf("%q", a.Str)
	case ArgFD:
		return fmt.Sprintf("{file %d}", a.Num)
	case ArgResult:
		return fmt.Sprintf("{result %d}", a.Num)
	case ArgHole:
		return Hole(a.Num).String()
	}
	return fmt.Sprintf("{argument of kind %d}", a.Kind)
}

// String returns the step as `hatchery plan` prints it.
func (s Step) String() string {
	b := []byte(s.Op)
	b = append(b, '(')
	for i, a := range s.Args {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, a.String()...)
	}
	return string(append(b, ')'))
}

// Insert puts steps before the exec, which stays last.
func (p *Plan) Insert(steps ...Step) {
	p.Steps = slices.Insert(p.Steps, max(0, len(p.Steps)-1), steps...)
}

// InsertBefore puts steps before the first step of the given kind. It reports
// whether there was one; when there was none the plan is unchanged.
//
// Results are referred to by index: in a plan that uses [Result], insert first
// and refer afterwards.
func (p *Plan) InsertBefore(op Op, steps ...Step) bool {
	i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Op == op })
	if i < 0 {
		return false
	}
	p.Steps = slices.Insert(p.Steps, i, steps...)
	return true
}

// Environ returns the environment of a child whose Spec has none, of a host with
// the given one: that one, or what ExecEnv says.
func (p *Plan) Environ(host []string) []string {
	if len(p.Steps) == 0 {
		return host
	}
	s := p.Steps[len(p.Steps)-1]
	if len(s.Args) < 3 || s.Args[2].Kind != ArgStr {
		return host
	}
	env := []string{}
	for entry := range strings.SplitSeq(s.Args[2].Str, "\x00") {
		if strings.Contains(entry, "=") {
			env = append(env, entry)
			continue
		}
		for _, kv := range host {
			if name, _, ok := strings.Cut(kv, "="); ok && name == entry && name != "" {
				env = append(env, kv)
			}
		}
	}
	return env
}

// CloseFiles closes the attached descriptors. A plan without any is not changed.
func (p *Plan) CloseFiles() {
	if p.Files == nil {
		return // such a plan may be in use by several
	}
	for _, f := range p.Files {
		if f != nil {
			f.Close()
		}
	}
	p.Files = nil
}
