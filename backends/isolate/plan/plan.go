package plan

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/cgroup"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Key is the method's name.
const Key = "isolate"

// Make returns the plan of a child in a sandbox. It is reusable: what differs
// from child to child is filled in by the host. Profiles of system calls in JSON
// are an error: see [MakeWith].
func Make(s *spawn.Spec) (*spawn.Plan, error) { return MakeWith(s, nil) }

// MakeWith is Make with somebody who reads profiles of system calls. A plan with a
// filter from a file is not reusable: the file may change.
func MakeWith(s *spawn.Spec, read Reader) (*spawn.Plan, error) {
	if runtime.GOOS != "linux" {
		return nil, &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrUnavailable, Msg: "its namespaces are those of Linux"}
	}
	o, err := Parse(s.Options)
	if err != nil {
		return nil, err
	}
	u, err := newIdentity(&o, s)
	if err != nil {
		return nil, err
	}
	if s.Group > spawn.HostGroup {
		return nil, unsupported("Group: a process of a pid namespace of its own cannot join a group that is outside of it: want HostGroup or NewGroup")
	}
	l := &list{}
	l.add(spawn.Clone(u.flags(&o)).Noted(noteClone))
	if err := l.limits(&o, u, cgroup.Read); err != nil {
		return nil, err
	}
	u.maps(l)
	if !o.HostNetwork { // first: the keeper can have this, and the maps, done ahead
		l.add(spawn.LinkUp("lo").Noted("the loopback interface of its network"))
	}
	l.add(spawn.Keyring().Noted("a session keyring of its own"))
	if o.Hostname != "" {
		l.add(spawn.Sethostname(o.Hostname))
	}
	places, err := l.fileSystem(&o, u)
	if err != nil {
		return nil, err
	}
	u.confine(l, s, &o)
	filters, err := o.filters(s, read)
	if err != nil {
		return nil, err
	}
	l.processOne(s, &o)
	if err := l.time(&o); err != nil {
		return nil, err
	}
	if err := l.landlock(&o, s, places); err != nil {
		return nil, err
	}
	_, _, fromFile := o.Seccomp.file()
	if !fromFile { // the default profile allows what is still to be done
		l.filter(filters)
	}
	l.park(&o)
	l.program(s, &o)
	if fromFile { // the last thing: the steps before may be what it refuses
		l.filter(filters)
	}
	l.exec(&o)
	for _, f := range filters {
		l.notes = append(l.notes, f.Notes...)
	}
	return &spawn.Plan{Steps: l.steps, Notes: l.notes, Reusable: !fromFile}, nil
}

// A list is a plan that grows.
type list struct {
	steps []spawn.Step
	notes []string
	early []spawn.Limit // resource limits, for process 1 as well
	late  []spawn.Limit // for the program alone
}

// note says something of the plan to whoever starts a child by it: which of
// several ways was taken, or what is missing that may be.
func (l *list) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

// add appends a step and returns what stands for its result.
func (l *list) add(s spawn.Step) spawn.Arg {
	l.steps = append(l.steps, s)
	return spawn.Result(len(l.steps) - 1)
}

// processOne adds the steps that make the child process 1, and go on in another.
//
// In a group of the host's, process 1 is a member as the program is. Otherwise
// it has a group of its own, so that what is sent to the program's group is not
// sent to the program once more.
func (l *list) processOne(s *spawn.Spec, o *Options) {
	if ownGroup(s, o) {
		l.add(spawn.Setpgid(0))
	}
	l.add(spawn.Pdeathsig(syscall.SIGKILL))
	l.resource(l.early)
	init := "process 1 of its pid namespace"
	if len(l.early) > 0 {
		init += "; before Linux 5.14 RLIMIT_NPROC counts all processes of the user"
	}
	l.add(spawn.Init().Noted(init))
}

// park says that all so far can be done ahead of a child. That is not so where a control
// group is made for it, and for layers of an overlay: nobody sees to it that they are
// still those that were asked for.
func (l *list) park(o *Options) {
	folder := func(s spawn.Step) bool { return s.Op == spawn.OpFolder }
	if !o.Overlay && !slices.ContainsFunc(l.steps, folder) {
		l.add(spawn.Park().Noted("here a sandbox can wait for its program"))
	}
}

// program adds what the program is to have: the steps of the standard plan that
// concern neither rights nor the file system.
func (l *list) program(s *spawn.Spec, o *Options) {
	rest := *s
	rest.Credential, rest.NoNewPrivs, rest.Dir, rest.Foreground, rest.Terminal = nil, false, "", nil, nil
	if ownGroup(s, o) && !s.Session {
		rest.Group = spawn.NewGroup
	}
	for _, step := range spawn.Standard(&rest).Steps {
		switch step.Op {
		case spawn.OpClone, spawn.OpPdeathsig, spawn.OpExec:
		default:
			l.add(step)
		}
	}
	l.workingDirectory(s, o)
	if s.Terminal != nil {
		l.add(spawn.Terminal(*s.Terminal))
	}
	if s.Foreground != nil {
		l.add(spawn.Foreground(*s.Foreground, 0))
	}
	l.resource(l.late)
}

// filter adds the steps that load filters of system calls.
func (l *list) filter(filters []Program) {
	for _, f := range filters {
		l.add(spawn.Seccomp(f.Flags, f.Code).Noted("the filter of system calls: it takes a kernel with CONFIG_SECCOMP_FILTER"))
	}
}

// exec adds the last step.
func (l *list) exec(o *Options) {
	if slices.Contains(o.KeepEnv, KeepAllEnv) {
		l.add(spawn.Exec(spawn.HolePath.Arg()).Noted(noteExec))
		return
	}
	l.add(spawn.ExecEnv(spawn.HolePath.Arg(), append(environment(), o.KeepEnv...)).Noted(noteExec))
}

// ownGroup reports whether the child is in a process group of its own. In the host's
// Landlock or a filter keep it from signalling the others; without a filter there is no
// way to be there.
func ownGroup(s *spawn.Spec, o *Options) bool {
	return s.Session || s.Group == spawn.NewGroup || o.Seccomp == FilterOff
}

// environment is what a child has whose Spec has none: enough for a shell to
// find its programs, and nothing of the host but what a terminal is and the time
// zone.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LANG=C.UTF-8", "TERM", "TZ"}
}

// workingDirectory adds the step that changes to the directory of the Spec. In
// the host's files a child whose Spec has none starts where the host is; in
// another root, where that means nothing, at the root.
func (l *list) workingDirectory(s *spawn.Spec, o *Options) {
	switch {
	case o.profile() == ProfileHost:
		l.add(spawn.Chdir(spawn.HoleCwd.Arg()).Noted(noteDir))
	case s.Dir != "":
		l.add(spawn.Chdir(spawn.HoleDir.Arg()).Noted(noteDir))
	}
}

func unsupported(msg string) error {
	return &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrBadOption, Msg: msg}
}
