//go:build linux

package backendtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// saboteurs returns one that breaks each promise, at least.
func saboteurs() []saboteur {
	var all []saboteur
	all = append(all, planSaboteurs()...)
	all = append(all, blockedSaboteurs()...)
	all = append(all, startSaboteurs()...)
	all = append(all, attributeSaboteurs()...)
	all = append(all, lifeSaboteurs()...)
	return all
}

func planSaboteurs() []saboteur {
	var calls, pid atomic.Int64
	return []saboteur{
		{name: "says nothing of itself", breaks: []string{"description"}, says: "summary",
			backend: planner{describe: func(d *sdk.Description) { d.Summary = "" }}},
		{name: "changes what it says of itself", breaks: []string{"description"}, says: "asked again",
			backend: planner{describe: func(d *sdk.Description) { d.Summary = fmt.Sprint("call ", calls.Add(1)) }}},
		{name: "passes over options", breaks: []string{"unknown-option"}, says: "a child was started",
			backend: planner{plan: func(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) { return spawn.Standard(s), nil }}},
		{name: "refuses options without a kind", breaks: []string{"unknown-option"}, says: "of kind ErrBadOption",
			backend: planner{plan: func(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
				if len(s.Options) > 0 {
					return nil, errors.New(s.Options[0].Key + "?")
				}
				return spawn.Standard(s), nil
			}}},
		{name: "does what it does not claim", breaks: []string{"unclaimed-abilities"}, says: "no_new_privs: a child was started",
			backend: without(spawn.OpNoNewPrivs, spawn.OpUmask), options: Options{Claims: []Ability{Programs, Local}}},
		{name: "fails at what it does not claim", breaks: []string{"unclaimed-abilities"}, says: "does not say that it is not possible",
			backend: planner{plan: func(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
				if s.Umask != nil {
					return nil, errors.New("try again")
				}
				return spawn.Standard(s), nil
			}}, options: Options{Claims: []Ability{}}},
		{name: "plans differently every time", breaks: []string{"plan-repeats"}, says: "asked again",
			backend: spoiled(func(_ *spawn.Spec, p *spawn.Plan) {
				p.Insert(spawn.SetLimit(spawn.Limit{Resource: 4, Soft: uint64(calls.Add(1))}))
			})},
		{name: "plans differently in another process", breaks: []string{"plan-repeats"}, says: "on another host", served: true,
			backend: planner{describe: named("by_pid"), spoil: func(_ *spawn.Spec, p *spawn.Plan) {
				pid.CompareAndSwap(0, int64(os.Getpid()))
				p.Insert(spawn.SetLimit(spawn.Limit{Resource: 4, Soft: uint64(pid.Load()), Hard: 1 << 30}))
			}}},
		{name: "says that a file is as it is not", breaks: []string{"plan-basis"}, says: "a file as it is not",
			backend: spoiled(func(_ *spawn.Spec, p *spawn.Plan) {
				p.Reusable, p.Basis = false, new(spawn.Basis)
				p.Basis.Stat("/")
				p.Basis.Files[0].Inode++
			})},
		{name: "lets a reusable plan depend on the program", breaks: []string{"plan-reusable"}, says: "with another program",
			backend: spoiled(func(s *spawn.Spec, p *spawn.Plan) {
				if strings.HasSuffix(s.Path, "/ls") {
					p.Insert(spawn.NoNewPrivs())
				}
			})},
		{name: "lets a reusable plan depend on the environment", breaks: []string{"plan-reusable"}, says: "with no environment",
			backend: spoiled(func(s *spawn.Spec, p *spawn.Plan) {
				if len(s.Env) == 0 {
					p.Insert(spawn.NoNewPrivs())
				}
			})},
		{name: "lets a reusable plan depend on the descriptors", breaks: []string{"plan-reusable"}, says: "with other descriptors",
			backend: spoiled(func(s *spawn.Spec, p *spawn.Plan) {
				if len(s.OpenFiles()) > 0 {
					p.Insert(spawn.NoNewPrivs())
				}
			})},
		{name: "changes the Spec", breaks: []string{"plan-spares-spec"}, says: "has changed the Spec",
			backend: spoiled(func(s *spawn.Spec, _ *spawn.Plan) { s.Path = "/bin/false" })},
		{name: "forgets descriptors", breaks: []string{"plan-leaks-nothing"}, says: "this process had",
			backend: spoiled(func(*spawn.Spec, *spawn.Plan) { leakDescriptor() })},
		{name: "forgets descriptors in its process", breaks: []string{"plan-leaks-nothing"}, says: "the plugin had", served: true,
			backend: planner{describe: named("leaky"), spoil: func(*spawn.Spec, *spawn.Plan) { leakDescriptor() }}},
		{name: "starts something while it plans", breaks: []string{"plan-leaks-nothing"}, says: "descendants", served: true,
			backend: planner{describe: named("busy"), spoil: func(*spawn.Spec, *spawn.Plan) { exec.Command("sleep", "10").Start() }}},
	}
}

func blockedSaboteurs() []saboteur {
	all := []string{"blocked-refuses", "blocked-refuses-garbage", "blocked-host-lives"}
	return []saboteur{
		{name: "starts although it is blocked", breaks: all, says: "a child was started",
			backend: stub(func(s *spawn.Spec) (*spawn.Plan, error) { return spawn.Standard(&spawn.Spec{}), nil }),
			start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				spec = spawn.Spec{Path: "/bin/true", Files: spec.Files}
				return e.Host.StartPlan(ctx, spawn.Standard(&spec), spec)
			}},
		{name: "is blocked and unavailable", breaks: all, says: "of kind ErrNotImplemented",
			backend: stub(func(*spawn.Spec) (*spawn.Plan, error) { return nil, &spawn.Error{Kind: spawn.ErrUnavailable} })},
		{name: "is blocked and does not say why", breaks: all, says: "details are",
			backend: stub(func(*spawn.Spec) (*spawn.Plan, error) { return nil, &spawn.Error{Kind: spawn.ErrNotImplemented} })},
		{name: "is blocked and names no alternative", breaks: all, says: "details are",
			backend: stub(func(*spawn.Spec) (*spawn.Plan, error) {
				e := refusal()
				e.Blocked.Alternative = ""
				return nil, e
			})},
		{name: "is blocked and slow", breaks: all[:1], says: "at best to refuse", fair: true,
			backend: stub(func(*spawn.Spec) (*spawn.Plan, error) {
				<-time.After(150 * time.Millisecond) // being slow is the sabotage
				return nil, refusal()
			})},
		{name: "is blocked and checks arguments first", breaks: all[1:2], says: "unknown options: want", fair: true,
			backend: stub(func(s *spawn.Spec) (*spawn.Plan, error) {
				if len(s.Options) > 0 {
					return nil, &spawn.Error{Kind: spawn.ErrBadOption}
				}
				return nil, refusal()
			})},
	}
}

// startSaboteurs break what a child is given, and its errors.
func startSaboteurs() []saboteur {
	first := everyNth(50)
	return []saboteur{
		{name: "has the wrong exit codes", breaks: []string{"exit-codes", "exit-short"}, says: "exit",
			backend: honest{}, start: tampering(script(func(s string) string {
				return strings.NewReplacer("exit 137", "kill -9 $$", "exit 77", "exit 78").Replace(s)
			}))},
		{name: "has codes for signals", breaks: []string{"exit-signals"}, says: "exit status 143",
			backend: honest{}, start: tampering(script(func(s string) string { return strings.Replace(s, "kill -15 $$", "exit 143", 1) }))},
		{name: "loses an exit now and then", breaks: []string{"exit-short"}, says: "a child that exits with",
			backend: honest{}, start: tampering(script(func(s string) string {
				if first() {
					return "exit 0; " + s
				}
				return s
			}))},
		{name: "runs something else", breaks: []string{"error-program"}, says: "a child was started", backend: another("/bin/true")},
		{name: "has errors of its own", breaks: []string{"error-program", "error-directory", "error-arguments"}, says: "as os/exec has it",
			backend: honest{}, start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				p, err := e.startBy(ctx, spec)
				if err != nil {
					err = errors.New(err.Error())
				}
				return p, err
			}},
		{name: "blames the program for the directory", breaks: []string{"error-directory"}, says: "phase",
			backend: honest{}, start: func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
				p, err := e.startBy(ctx, spec)
				if se := spawn.AsError(err); err != nil {
					se.Phase, se.Path = spawn.PhaseExec, spec.Path
					err = se
				}
				return p, err
			}},
		{name: "does not change directory", breaks: []string{"error-directory", "directory"}, says: "directory",
			backend: without(spawn.OpChdir)},
		{name: "takes small arguments only", breaks: []string{"error-arguments"}, says: "message too long",
			backend: planner{plan: func(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
				for _, a := range s.Args {
					if len(a) > 64<<10 {
						return nil, syscall.EMSGSIZE
					}
				}
				return honest{}.Plan(ctx, s)
			}}},
		{name: "drops empty arguments", breaks: []string{"bytes-arguments"}, says: "arguments are", backend: honest{},
			start: tampering(func(s *spawn.Spec) {
				var kept []string
				for _, a := range s.Args {
					if a != "" {
						kept = append(kept, a)
					}
				}
				s.Args = kept
			})},
		{name: "makes arguments valid UTF-8", breaks: []string{"bytes-arguments"}, says: "arguments are", backend: honest{},
			start: tampering(func(s *spawn.Spec) {
				for i := range s.Args {
					s.Args[i] = strings.ToValidUTF8(s.Args[i], "?")
				}
			})},
		{name: "adds a variable", breaks: []string{"bytes-environment"}, says: "no environment", backend: honest{},
			start: tampering(func(s *spawn.Spec) {
				if s.Env != nil {
					s.Env = append(append([]string{}, s.Env...), "PLUGIN_PROTOCOL=1")
				}
			})},
		{name: "forgets the host's environment", breaks: []string{"bytes-environment"}, says: "the host's environment", backend: honest{},
			start: tampering(func(s *spawn.Spec) {
				if s.Env == nil {
					s.Env = []string{}
				}
			})},
	}
}
