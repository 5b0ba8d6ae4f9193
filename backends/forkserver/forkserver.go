package forkserver

import (
	"context"
	_ "embed" // the schema

	"github.com/hatchery-spawn/hatchery/backends/forkserver/python"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Key is the method's name.
const Key = "forkserver"

// schema is the table of options as a JSON Schema. A test holds it to that, and writes
// it anew when it is told to: go test -run TestSchema -write.
//
//go:embed schema.json
var schema string

// A Backend makes the plans of children that are handed over. What it remembers is
// of which kind programs are.
type Backend struct {
	sdk.Unimplemented
	programs *programs
}

var _ sdk.Planner = Backend{}

// New returns the backend.
func New() Backend { return Backend{programs: newPrograms()} }

// Describe says what the method is.
func (Backend) Describe() sdk.Description {
	return sdk.Description{
		Key:     Key,
		Summary: "children from processes that are ready, with the program loaded; isolates nothing",
		Status:  "stable",
		Schema:  schema,
	}
}

// Plan returns the standard plan behind a handoff, or without one and with a note
// that says why, where the child has to be started cold.
func (b Backend) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	o, err := Parse(s.Options)
	if err != nil {
		return nil, err
	}
	var basis spawn.Basis
	t, known, cold, err := b.template(s, &o, &basis)
	if err != nil {
		return nil, err
	}
	p := spawn.Standard(s)
	if p.Reusable = known; !known {
		p.Basis = &basis
	}
	if cold != "" {
		if o.Require {
			return nil, &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrUnavailable, Path: s.Path, Msg: "require=warm: " + cold}
		}
		p.Notes = append(p.Notes, "cold: "+cold)
		return p, nil
	}
	p.Steps = append([]spawn.Step{spawn.Handoff(t)}, p.Steps...)
	return p, nil
}

// template returns the template of a child, or why there is none. With known the
// answer is the same for all children with these options. Without, it depends on what
// is noted in basis, and on the Spec.
func (b Backend) template(s *spawn.Spec, o *Options, basis *spawn.Basis) (t spawn.Template, known bool, cold string, err error) {
	t = spawn.Template{Kind: o.Kind, Min: o.Min, Max: o.Max, Idle: o.Idle, Memory: o.Memory, Required: o.Require}
	t.Env = append(bootEnv(), o.Env...)
	if o.Kind == Cold {
		return t, true, "kind=cold", nil
	}
	if o.Kind != "" {
		if len(o.Args) > 0 {
			t.Args = append([]string{s.Argv()[0]}, o.Args...)
		}
		return t, len(o.Args) == 0, "", nil
	}
	for _, recognize := range recognizers() {
		boot, why := recognize(s, o.Preload, basis)
		switch {
		case why != "":
			return t, false, why, nil
		case boot.Args != nil:
			t.Kind, t.Args, t.Env, t.Here = spawn.ForkTemplate, boot.Args, append(boot.Env, o.Env...), boot.Here
			return t, false, "", nil
		}
	}
	if len(o.Preload) > 0 {
		return t, false, "", badOption("preload is for programs that an interpreter runs which is known here, and %q is none", s.Path)
	}
	ok, why := b.programs.parks(s, basis)
	if !ok {
		return t, false, why, nil
	}
	t.Kind = spawn.PoolTemplate
	return t, false, "", nil
}

// bootEnv returns what of its environment a process has while it waits: what
// runtimes look at before main.
func bootEnv() []string {
	return []string{"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "GORACE", "LD_*", "LANG", "LC_*", "TZ", "PATH", "HOME", "USER", "TMPDIR"}
}

// A recognizer says how to boot a fork zygote for a program that it knows. It
// returns no arguments for any other program, and why for one that it knows and that
// cannot be served.
type recognizer func(s *spawn.Spec, preload []string, basis *spawn.Basis) (boot python.Boot, why string)

func recognizers() []recognizer { return []recognizer{python.Recognize} }
