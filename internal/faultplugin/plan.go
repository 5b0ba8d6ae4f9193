//go:build unix

package faultplugin

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// planModes make plans that no keeper should execute, say that they make
// plans and do not, or do not get round to it.
func planModes() []Mode {
	changed := func(name, explain string, kind error, change func(*spawn.Plan), says ...string) Mode {
		return planMode(name, explain, kind, func(s *spawn.Spec) (*spawn.Plan, error) {
			p := spawn.Standard(s)
			change(p)
			return p, nil
		}, says...)
	}
	return []Mode{
		changed("step", "has a step that does not exist", spawn.ErrBadPlan,
			func(p *spawn.Plan) { p.Insert(spawn.Step{Op: "reboot"}) }, "reboot", "no such step"),
		changed("args", "gives a step arguments of the wrong kind", spawn.ErrBadPlan,
			func(p *spawn.Plan) { p.Insert(spawn.Step{Op: spawn.OpUmask, Args: []spawn.Arg{spawn.Str("022")}}) }, "umask", "argument 1"),
		changed("range", "gives a step numbers that are out of range", spawn.ErrBadPlan,
			func(p *spawn.Plan) { p.Insert(spawn.Dup(spawn.FD(0), -1)) }, "dup"),
		changed("descriptor", "refers to a descriptor that does not come with it", spawn.ErrBadPlan,
			func(p *spawn.Plan) { p.Insert(spawn.Fchdir(spawn.FD(99))) }, "descriptor 99"),
		changed("result", "refers to the result of a later step", spawn.ErrBadPlan,
			func(p *spawn.Plan) { p.Insert(spawn.Close(spawn.Result(500))) }, "no earlier one with a result"),
		changed("empty", "has no steps", spawn.ErrBadPlan, func(p *spawn.Plan) { p.Steps = nil }, "0 steps"),
		changed("noexec", "has no exec", spawn.ErrBadPlan,
			func(p *spawn.Plan) { p.Steps = p.Steps[:len(p.Steps)-1] }, "exec"),
		changed("long", "has a step of 512 KiB", spawn.ErrBadPlan,
			func(p *spawn.Plan) {
				p.Insert(spawn.Step{Op: "reboot", Args: []spawn.Arg{spawn.Str(strings.Repeat("x", 512<<10))}})
			}, "no such step"),
		changed("steps", "has 10 000 steps", spawn.ErrProtocol,
			func(p *spawn.Plan) {
				for range 10_000 {
					p.Steps = append(p.Steps, spawn.Umask(0o22))
				}
			}, "4096 steps"),
		planMode("blocks", "has a step that waits for ever", spawn.ErrTimeout, blockingPlan, "write"),
		planMode("nil", "is neither a plan nor an error", spawn.ErrBadPlan,
			func(*spawn.Spec) (*spawn.Plan, error) { return nil, nil }, "neither a plan nor an error"),
		planMode("hang", "is never made", spawn.ErrTimeout,
			func(*spawn.Spec) (*spawn.Plan, error) { hang(); return nil, nil }, "plan", "no answer"),
		planMode("stop", "is never made, as the plugin stops itself", spawn.ErrTimeout,
			func(*spawn.Spec) (*spawn.Plan, error) { stopMyself(); return nil, nil }, "plan", "no answer"),
		planMode("exit", "is never made, as the plugin exits", spawn.ErrPluginGone,
			func(*spawn.Spec) (*spawn.Plan, error) {
				fmt.Fprintln(os.Stderr, "no such moon phase")
				os.Stderr.Sync()
				syscall.Kill(os.Getpid(), syscall.SIGTERM)
				hang()
				return nil, nil
			}, "signal: terminated", "no such moon phase"),
		planMode("panic", "is never made, as the plugin panics", spawn.ErrPluginGone,
			func(*spawn.Spec) (*spawn.Plan, error) { panic("the well is dry") }, "exit status 2", "panic: the well is dry"),
		{Name: "plan_files", Explain: "comes with 240 descriptors that nobody needs", Stage: Works, run: func(key string) int {
			return plugin{key: key, plan: planWithFiles}.serve()
		}},
		{Name: "spawner_lie", Explain: "says that it makes children of its own, and makes plans", Stage: AtSpawn, Kind: spawn.ErrProtocol, Says: []string{"no children"},
			run: func(key string) int { return plugin{key: key, features: []string{wire.FeatureSpawner}}.serve() }},
		{Name: "planner_lie", Explain: "says that it makes plans, and makes children of its own", Stage: AtSpawn, Kind: spawn.ErrProtocol, Says: []string{"no plans"},
			run: func(key string) int { return plugin{key: key, plan: noPlans}.serve() }},
		{Name: "no_feature", Explain: "says that it makes neither plans nor children of its own", Stage: AtSpawn, Kind: spawn.ErrProtocol, Says: []string{"no plans"},
			run: func(key string) int { return plugin{key: key, features: []string{"song"}, plan: noPlans}.serve() }},
	}
}

func planMode(name, explain string, kind error, plan func(*spawn.Spec) (*spawn.Plan, error), says ...string) Mode {
	return Mode{Name: "plan_" + name, Explain: "makes a plan that " + explain, Stage: AtSpawn, Kind: kind, Says: says,
		run: func(key string) int { return plugin{key: key, plan: plan}.serve() }}
}

func noPlans(*spawn.Spec) (*spawn.Plan, error) {
	return nil, &spawn.Error{Kind: spawn.ErrProtocol, Msg: "this backend makes no plans"}
}

// blockingPlan has the child write to a pipe that is full and that nobody
// reads.
func blockingPlan(s *spawn.Spec) (*spawn.Plan, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	w.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	for page := make([]byte, 4096); err == nil; {
		_, err = w.Write(page)
	}
	w.Fd() // makes it block
	p := spawn.Standard(s)
	p.Reusable = false
	p.Files = []*os.File{w}
	p.Insert(spawn.Write(spawn.FD(0), spawn.Str("x")))
	go func() { // keeps the reading end open
		hang()
		r.Close()
	}()
	return p, nil
}

func planWithFiles(s *spawn.Spec) (*spawn.Plan, error) {
	p := spawn.Standard(s)
	p.Reusable = false
	for range 240 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		p.Files = append(p.Files, f)
	}
	return p, nil
}
