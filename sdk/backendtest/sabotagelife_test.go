//go:build linux

package backendtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// opening returns a planner that opens a file as a descriptor of the child.
func opening(path string, number int, when func() bool) planner {
	return spoiled(func(_ *spawn.Spec, p *spawn.Plan) {
		if when() {
			at := len(p.Steps) - 1
			p.Insert(spawn.Open(spawn.Str(path), syscall.O_RDWR, 0), spawn.Dup(spawn.Result(at), number))
		}
	})
}

func always() bool { return true }

// attributeSaboteurs break what a child is.
func attributeSaboteurs() []saboteur {
	return []saboteur{
		{name: "leaves out the descriptors", breaks: []string{"descriptors-null", "descriptors-exact", "descriptors-concurrent"},
			backend: without(spawn.OpFiles)},
		{name: "gives children something to read", breaks: []string{"descriptors-null"}, says: "exit status 10",
			backend: opening("/dev/zero", 0, always)},
		{name: "leaks a descriptor", breaks: []string{"descriptors-exact", "descriptors-concurrent"}, says: "9 /dev/null",
			backend: opening("/dev/null", 9, always)},
		{name: "leaks a descriptor now and then", breaks: []string{"descriptors-concurrent"}, says: "9 /dev/null",
			backend: opening("/dev/null", 9, everyNth(20))},
		{name: "ignores a signal", breaks: []string{"signals-default", "signals-ignored"}, says: "SigIgn",
			backend: inserting(spawn.IgnoreSignal(syscall.SIGWINCH))},
		{name: "does not ignore signals", breaks: []string{"signals-ignored"}, says: "SigIgn is 0000000000000000",
			backend: without(spawn.OpIgnore)},
		{name: "is nicer than asked", breaks: []string{"inherited"}, says: "nice", backend: inserting(spawn.Priority(3))},
		{name: "changes a limit", breaks: []string{"inherited"}, says: "core file size",
			backend: inserting(spawn.SetLimit(spawn.Limit{Resource: 4, Soft: 4096, Hard: 4096}))},
		{name: "adds a restriction", breaks: []string{"inherited"}, says: "NoNewPrivs", backend: inserting(spawn.NoNewPrivs())},
		{name: "drops the umask", breaks: []string{"umask"}, says: "umask is", backend: without(spawn.OpUmask)},
		{name: "drops the limits", breaks: []string{"limits"}, says: "open files 40 50", backend: without(spawn.OpLimit)},
		{name: "drops no_new_privs", breaks: []string{"no-new-privs"}, says: "NoNewPrivs", backend: without(spawn.OpNoNewPrivs)},
		{name: "drops the group", breaks: []string{"groups"}, says: "a group of its own", backend: without(spawn.OpSetpgid)},
		{name: "drops the session", breaks: []string{"groups"}, says: "a session of its own", backend: without(spawn.OpSetsid)},
		{name: "gives every child a group", breaks: []string{"groups", "inherited"}, says: "group",
			backend: spoiled(func(s *spawn.Spec, p *spawn.Plan) {
				if !s.Session && s.Group == spawn.HostGroup {
					p.Insert(spawn.Setpgid(0))
				}
			})},
		{name: "keeps the supplementary groups", breaks: []string{"credentials"}, says: "supplementary groups", root: true,
			backend: without(spawn.OpSetgroups)},
		{name: "forgets gid 0", breaks: []string{"credentials"}, says: "Gid", root: true, fair: true, backend: without(spawn.OpSetresgid)},
		{name: "forgets the terminal", breaks: []string{"terminal"}, says: "foreground group", backend: without(spawn.OpTerminal)},
	}
}

// lifeSaboteurs break what happens to a child, its streams and its end.
func lifeSaboteurs() []saboteur {
	edit := func(old, new string) func(context.Context, *Env, spawn.Spec) (*host.Process, error) {
		return tampering(script(func(s string) string { return strings.Replace(s, old, new, 1) }))
	}
	return []saboteur{
		{name: "loses the end of the input", breaks: []string{"stream-bulk"}, says: "bytes came out", backend: honest{},
			start: edit("cat", "head -c 1000000; cat >/dev/null")},
		{name: "changes what goes through", breaks: []string{"stream-bulk"}, says: "not those that went in", backend: honest{},
			start: edit("cat", "LC_ALL=C tr a b")},
		{name: "ignores a broken pipe", breaks: []string{"stream-closed"}, says: "output is closed", backend: inserting(spawn.IgnoreSignal(syscall.SIGPIPE))},
		{name: "is slow", breaks: []string{"stream-unread"}, says: "three other children took", backend: honest{},
			start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				<-time.After(soon / 2) // being slow is the sabotage
				return e.startBy(ctx, spec)
			}},
		{name: "waits for descendants", breaks: []string{"stream-left-open"}, says: "within a second", backend: honest{},
			start: edit("echo hi", "echo hi; wait")},
		{name: "protects children from SIGTERM", breaks: []string{"stop-asked", "stop-stopped"}, says: "forced true",
			backend: inserting(spawn.IgnoreSignal(syscall.SIGTERM))},
		{name: "tames children", breaks: []string{"stop-stubborn"}, says: "had a grace of", backend: honest{}, start: edit("trap '' TERM", ":")},
		{name: "lets descendants get away", breaks: []string{"stop-tree"}, says: "below a child that was killed", backend: honest{},
			start: edit("echo up", "(sleep 60 &); echo up")},
		{name: "holds the output of children", breaks: []string{"stop-host"}, says: "daemon of a closed host", backend: honest{}, start: holding},
		{name: "does not listen to contexts", breaks: []string{"cancel-before"}, says: "a child was started", backend: honest{},
			start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				return e.startBy(context.WithoutCancel(ctx), spec)
			}},
		{name: "forgets children when it is too late", breaks: []string{"cancel-during"}, says: "children that nobody wanted", backend: honest{},
			start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				p, err := e.startBy(context.WithoutCancel(ctx), spec)
				if err == nil && ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return p, err
			}},
		{name: "takes children along", breaks: []string{"plugin-killed"}, says: "has ended with the plugin", served: true, backend: parent{}},
		{name: "does not say what has happened to the plugin", breaks: []string{"plugin-killed-planning"}, says: "of kind ErrPluginGone", served: true,
			backend: planner{describe: named("silent")},
			start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				begin := time.Now()
				p, err := e.startBy(ctx, spec)
				if err == nil && time.Since(begin) > asleep/2 && spec.Files != nil {
					p.Kill()
					err = errors.New("it did not work")
				}
				return p, err
			}},
		{name: "keeps callers waiting", breaks: []string{"plugin-stopped"}, says: "got its answer after", served: true,
			backend: planner{describe: named("late")},
			start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				p, err := e.startBy(ctx, spec)
				if err != nil {
					<-time.After(soon + stopped) // being late is the sabotage
				}
				return p, err
			}},
		{name: "does without its plugin", breaks: []string{"plugin-stopped", "plugin-stopped-close"}, says: "a child was started", served: true,
			backend: planner{describe: named("aloof")}, start: elsewhere},
		{name: "cannot be started twice", breaks: []string{"plugin-restarted"}, says: "plugins were killed", served: true,
			backend: once{first: sync.OnceValue(leaveMark)}},
		{name: "forgets what runs elsewhere", breaks: []string{"host-gone"}, says: "what ran elsewhere for a host that was killed", served: true,
			backend: far{}, options: Options{Claims: []Ability{Programs}}},
		{name: "cuts what is long", breaks: []string{"request-huge"}, says: "the lengths of what", backend: honest{},
			start: tampering(func(s *spawn.Spec) {
				s.Env = slices.Clone(s.Env)
				for i, v := range s.Env {
					s.Env[i] = v[:min(len(v), 64<<10)]
				}
			})},
	}
}

// elsewhere starts a child on a host of its own, without asking the plugin.
func elsewhere(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
	h, err := e.subject.openHost()
	if err != nil {
		return nil, err
	}
	p, err := h.StartPlan(ctx, spawn.Standard(&spec), spec)
	if err != nil {
		h.Close()
		return nil, err
	}
	go func() { // ends with the child, which the case ends
		<-p.Done()
		h.Close()
	}()
	return p, nil
}

// once works in the first plugin of a host only.
type once struct {
	honest
	first func() bool
}

func (once) Describe() sdk.Description {
	return sdk.Description{Key: "once", Summary: "works the first time"}
}

func (b once) Probe(context.Context) error {
	if !b.first() {
		return errors.New("there was another plugin before")
	}
	return nil
}

// leaveMark leaves a mark for the next plugin of the same host, which removes it.
// It reports whether there was none.
func leaveMark() bool {
	mark := filepath.Join(os.TempDir(), fmt.Sprintf("backendtest-once-%d", os.Getppid()))
	return os.Remove(mark) != nil && os.WriteFile(mark, nil, 0o600) == nil
}

// holding keeps the child's output open for longer than a case waits.
func holding(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
	if len(spec.Files) > 1 && spec.Files[1] != nil {
		fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, spec.Files[1].Fd(), syscall.F_DUPFD_CLOEXEC, 0)
		if errno == 0 {
			time.AfterFunc(4*soon, func() { syscall.Close(int(fd)) })
		}
	}
	return e.startBy(ctx, spec)
}

// A parent has children of its own, by os/exec, which no backend should have.
type parent struct{}

func (parent) Describe() sdk.Description {
	return sdk.Description{Key: "parent", Summary: "children of the plugin"}
}

func (parent) Spawn(_ context.Context, s *spawn.Spec) (sdk.Child, error) {
	cmd := &exec.Cmd{Path: s.Path, Args: s.Argv(), Env: s.Env, Dir: s.Dir}
	if len(s.Files) > 0 {
		cmd.Stdin = s.Files[0]
	}
	if len(s.Files) > 1 {
		cmd.Stdout = s.Files[1]
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return child{cmd}, nil
}

type child struct{ cmd *exec.Cmd }

func (c child) Wait() spawn.ExitStatus {
	c.cmd.Wait()
	return spawn.ExitStatus{Code: c.cmd.ProcessState.ExitCode(), Source: spawn.FromBackend}
}

func (c child) Signal(sig syscall.Signal) error { return c.cmd.Process.Signal(sig) }
