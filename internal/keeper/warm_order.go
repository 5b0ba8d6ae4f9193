//go:build linux

package keeper

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An order is a child that is to be handed over: its plan, as settings, and what
// its template is.
type order struct {
	req   *launch.Request
	run   zygote.Run
	steps []int // of each setting, the step that it stands for
	fds   []int // that go with the settings
	cwd   int   // among fds and this order's to close, or -1

	identity []spawn.Step // of the plan, which belong to the template
	key      string
	conf     *spawn.Template
	env      []string // to boot with
	path     string   // of the program, from the root or from where the child is to be
}

// newOrder makes an order of a request, whose plan has no handoff any more.
func (l *launcher) newOrder(conf *spawn.Template, r *launch.Request) (*order, error) {
	if err := launch.Check(r.Plan, len(r.FDs)); err != nil {
		return nil, err
	}
	o := &order{req: r, conf: conf, cwd: -1, path: r.Path}
	o.run.Args, o.run.Env = r.Args, r.Env
	o.add(0, zygote.SetGroup+"="+itoa(syscall.Getpgrp()))
	o.files(max(0, slices.IndexFunc(r.Plan.Steps, func(s spawn.Step) bool { return s.Op == spawn.OpFiles })))
	for i := range r.Plan.Steps {
		if err := o.step(i); err != nil {
			o.close()
			return nil, err
		}
	}
	if err := o.finish(l); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *order) close() {
	if o.cwd >= 0 {
		syscall.Close(o.cwd)
		o.cwd = -1
	}
}

// add adds a setting that stands for a step.
func (o *order) add(step int, setting string, fds ...int) {
	o.run.Settings = append(o.run.Settings, setting)
	o.steps = append(o.steps, step)
	o.fds = append(o.fds, fds...)
}

// files adds the descriptors of the child, all of them.
func (o *order) files(step int) {
	set := [3]bool{}
	for _, f := range o.req.Files {
		o.add(step, zygote.SetFD+"="+itoa(f.Number), f.FD)
		if f.Number < len(set) {
			set[f.Number] = true
		}
	}
	for n, null := range [3]int{o.req.Null, o.req.NullOut, o.req.NullOut} {
		if !set[n] {
			o.add(step, zygote.SetFD+"="+itoa(n), null)
		}
	}
}

// step adds what a step of the plan asks for.
func (o *order) step(i int) error {
	s := o.req.Plan.Steps[i]
	num := func(n int) string { return strconv.FormatInt(s.Args[n].Num, 10) }
	set := func(name, value string) { o.add(i, name+"="+value) }
	switch s.Op {
	case spawn.OpClone:
		if len(s.Args) > 1 || s.Args[0].Num != 0 {
			return o.refuse(i)
		}
	case spawn.OpFiles, spawn.OpPdeathsig: // which every child here has
	case spawn.OpExec:
		if s.Args[0] != spawn.HolePath.Arg() {
			return o.refuse(i)
		}
	case spawn.OpSetsid:
		o.add(i, zygote.SetSession)
	case spawn.OpSetpgid:
		set(zygote.SetGroup, num(0))
	case spawn.OpTerminal:
		set(zygote.SetTerminal, num(0))
	case spawn.OpForeground:
		set(zygote.SetFront, num(0)+":"+num(1))
	case spawn.OpIgnore:
		set(zygote.SetIgnore, num(0))
	case spawn.OpUmask:
		set(zygote.SetUmask, "0"+strconv.FormatInt(s.Args[0].Num, 8))
	case spawn.OpPriority:
		set(zygote.SetNice, num(0))
	case spawn.OpAffinity:
		set(zygote.SetAffinity, hex.EncodeToString(littleEndian(s.Args[0].Str)))
	case spawn.OpLimit:
		set(zygote.SetLimit, num(0)+":"+num(1)+":"+num(2))
	case spawn.OpSetgroups, spawn.OpSetresgid, spawn.OpSetresuid, spawn.OpNoNewPrivs:
		o.identity = append(o.identity, s)
	case spawn.OpOpen:
		if s.Args[0] != spawn.Str(oomScoreFile) {
			return o.refuse(i)
		}
	case spawn.OpWrite: // there is no other file to write to
		set(zygote.SetOOM, s.Args[1].Str)
	case spawn.OpClose:
		if s.Args[0].Kind != spawn.ArgResult {
			return o.refuse(i)
		}
	case spawn.OpChdir:
		return o.chdir(i)
	default:
		return o.refuse(i)
	}
	return nil
}

// oomScoreFile is what a plan may write to.
const oomScoreFile = "/proc/self/oom_score_adj"

func (o *order) refuse(i int) error {
	e := launch.StepError(o.req, i, 0)
	e.Kind, e.Msg = spawn.ErrBadPlan, "a child that is handed over cannot have this step: "+o.req.Plan.Steps[i].String()
	return e
}

// littleEndian returns a mask of processors, which is made of words in the
// machine's order, with the lowest processors first.
func littleEndian(mask string) []byte {
	b := []byte(mask)
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], binary.NativeEndian.Uint64(b[i:]))
	}
	return b
}

// chdir adds the working directory, which is opened here: a name that does not
// begin with a slash is below the host's.
func (o *order) chdir(i int) error {
	if o.cwd >= 0 {
		return o.refuse(i)
	}
	dir := "."
	if i > 0 {
		dir = o.req.Dir
		if a := o.req.Plan.Steps[i].Args[0]; a.Kind == spawn.ArgStr {
			dir = a.Str
		}
	}
	fd, err := linux.OpenFolder(dir)
	if err != nil {
		if i == 0 {
			return &spawn.Error{Phase: spawn.PhaseSetup, Op: string(spawn.OpChdir), Path: dir, Errno: errnoOf(err)}
		}
		return launch.StepError(o.req, i, errnoOf(err))
	}
	o.cwd = fd
	o.add(i, zygote.SetCwd, fd)
	if i > 0 && !strings.HasPrefix(o.path, "/") {
		o.path = dir + "/" + o.path
	}
	return nil
}

// finish adds what the plan leaves open, and finds out the key.
func (o *order) finish(l *launcher) error {
	if o.cwd < 0 {
		if err := o.chdir(0); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(o.run.Settings, func(s string) bool { return strings.HasPrefix(s, zygote.SetUmask+"=") }) {
		mask, ok := l.umask()
		if !ok {
			return &spawn.Error{Phase: spawn.PhaseSetup, Op: string(spawn.OpUmask), Errno: syscall.ENOENT, Msg: "the host's is not to be found in /proc"}
		}
		o.add(0, zygote.SetUmask+"=0"+strconv.FormatInt(int64(mask), 8))
	}
	var st syscall.Stat_t
	if err := syscall.Stat(o.path, &st); err != nil {
		return launch.StepError(o.req, len(o.req.Plan.Steps)-1, errnoOf(err))
	}
	o.bootEnv()
	le := binary.LittleEndian
	b := append([]byte(o.conf.Kind), 0)
	for _, v := range []int64{int64(st.Dev), int64(st.Ino), st.Mtim.Nano(), st.Ctim.Nano(), st.Size, int64(o.conf.Min), int64(o.conf.Max), int64(o.conf.Idle), o.conf.Memory} {
		b = le.AppendUint64(b, uint64(v))
	}
	if o.conf.Here {
		var st syscall.Stat_t
		if err := syscall.Fstat(o.cwd, &st); err != nil {
			return &spawn.Error{Phase: spawn.PhaseSetup, Op: string(spawn.OpChdir), Errno: errnoOf(err)}
		}
		b = le.AppendUint64(le.AppendUint64(b, uint64(st.Dev)), uint64(st.Ino))
	}
	b = appendString(b, o.path)
	b = appendStrings(b, o.bootArgs())
	b = appendStrings(b, o.env)
	for _, s := range o.identity {
		b = appendString(b, s.String())
	}
	o.key = string(b)
	return nil
}

// bootArgs returns the argument list to boot with.
func (o *order) bootArgs() []string {
	if len(o.conf.Args) > 0 || len(o.req.Args) == 0 {
		return o.conf.Args
	}
	return o.req.Args[:1]
}

// bootEnv finds out the environment to boot with.
func (o *order) bootEnv() {
	for _, e := range o.conf.Env {
		if strings.Contains(e, "=") {
			o.env = append(o.env, e)
			continue
		}
		prefix, all := strings.CutSuffix(e, "*")
		for _, kv := range o.req.Env {
			name, _, ok := strings.Cut(kv, "=")
			if ok && (name == e || all && strings.HasPrefix(name, prefix)) {
				o.env = append(o.env, kv)
			}
		}
	}
}

// bootstrap returns how processes of the template are started.
func (o *order) bootstrap() bootstrap {
	p := &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), spawn.Setpgid(0), spawn.Files()}}
	p.Steps = append(p.Steps, o.identity...)
	p.Steps = append(p.Steps, spawn.Pdeathsig(syscall.SIGKILL))
	b := bootstrap{plan: p, path: strings.Clone(o.path), here: -1}
	switch {
	case o.conf.Here:
		b.path = strings.Clone(o.req.Path)
		b.here, _ = linux.DupAbove(o.cwd, 3) // without it the launch fails, and says so
		p.Steps = append(p.Steps, spawn.Fchdir(spawn.FD(0)))
	case strings.HasPrefix(b.path, "/"): // or else it is started where it is found
		p.Steps = append(p.Steps, spawn.Chdir(spawn.Str("/")))
	}
	p.Steps = append(p.Steps, spawn.Exec(spawn.HolePath.Arg()))
	for _, s := range o.bootArgs() {
		b.args = append(b.args, strings.Clone(s))
	}
	for _, s := range o.env {
		b.env = append(b.env, strings.Clone(s))
	}
	b.words, _ = linux.Memfd(Name + "-template") // without it nothing is quoted
	return b
}
