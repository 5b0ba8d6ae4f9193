//go:build unix

package faultplugin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// processModes are faults of the process itself, before it says anything to
// the host; and the one mode without a fault.
func processModes() []Mode {
	gone := func(name, explain string, run func(string) int, says ...string) Mode {
		return Mode{Name: name, Explain: explain, Stage: AtStart, Kind: spawn.ErrPluginGone, Says: append(says, "before the handshake"), run: run}
	}
	return []Mode{
		{Name: "ok", Explain: "does everything right", Stage: Works,
			run: func(key string) int { return sdk.Main(good(key)) }},
		{Name: "hang", Explain: "says nothing and does not end", Stage: AtStart, Kind: spawn.ErrTimeout, Says: []string{"handshake"},
			run: func(string) int { return hang() }},
		{Name: "hang_family", Explain: "starts a descendant that holds all its descriptors, and does not end", Stage: AtStart, Kind: spawn.ErrTimeout, Says: []string{"handshake"},
			run: func(string) int { daemon(false); return hang() }},
		{Name: "stop", Explain: "stops itself by SIGSTOP", Stage: AtStart, Kind: spawn.ErrTimeout, Says: []string{"handshake"},
			run: func(string) int { stopMyself(); return 1 }},
		gone("exit", "writes a line to standard error and exits with 7",
			func(string) int { fmt.Fprintln(os.Stderr, "no such moon phase"); return 7 }, "exit status 7", "no such moon phase"),
		gone("exit_zero", "exits with 0 and without a word",
			func(string) int { return 0 }, "exit status 0"),
		gone("killed", "is killed by a signal",
			func(string) int { syscall.Kill(os.Getpid(), syscall.SIGKILL); return hang() }, "signal: killed"),
		gone("panic", "panics",
			func(string) int { panic("the well is dry") }, "exit status 2", "panic: the well is dry"),
		gone("panic_daemon", "leaves a daemon behind that holds all its descriptors, and panics",
			func(string) int { daemon(true); panic("the well is dry") }, "exit status 2", "panic: the well is dry"),
		gone("flood_panic", "writes 4 MiB to standard error and panics",
			func(string) int { flood(os.Stderr, 4<<20); panic("the well is dry") }, "exit status 2", "panic: the well is dry"),
		gone("foreign", "is a plugin of another program, which misses its own cookie",
			func(string) int { return foreign() }, "exit status 1", "of another program", "sdk"),
	}
}

// good is a backend that makes the standard plan.
type good string

func (g good) Describe() sdk.Description {
	return sdk.Description{Key: string(g), Summary: "does everything right", Status: "experimental"}
}

func (good) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	return spawn.Standard(s), nil
}

// hang does not return. It ends by a signal alone.
func hang() int { select {} }

// stopMyself stops the process, and hangs: the signal takes effect a moment
// after kill has returned.
func stopMyself() {
	syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	hang()
}

// daemon starts a process that has all descriptors of this one: in a session
// of its own if far, else in the same process group.
func daemon(far bool) {
	cmd := exec.Command("sleep", "100")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(wire.HandshakeFD, "handshake"), os.NewFile(wire.LaneFD, "lane")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: far}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "bug: no descendant: ", err)
	}
}

// foreign is what go-plugin does in a plugin of any other program.
func foreign() int {
	fmt.Fprint(os.Stderr, "This binary is a plugin. These are not meant to be executed directly.\n"+
		"Please execute the program that consumes these plugins, which will\nload any plugins automatically\n")
	return 1
}
