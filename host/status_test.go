//go:build linux

package host_test

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestEveryExitCode(t *testing.T) {
	h := open(t, host.Config{})
	for code := range 256 {
		s := wait(t, start(t, h, sh(fmt.Sprintf("exit %d", code))), 10*time.Second)
		if s.Code != code || s.Signal != 0 || s.Source != spawn.FromKernel {
			t.Errorf("exit %d: %+v", code, s)
		}
	}
}

func TestEveryDeadlySignal(t *testing.T) {
	h := open(t, host.Config{})
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGSTOP, syscall.SIGTSTP,
			syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGURG, syscall.SIGWINCH, 32, 33:
			continue // they end nothing; libc keeps 32 and 33 to itself
		}
		p := start(t, h, spawn.Spec{Path: "sleep", Args: []string{"sleep", "100"}, Limits: []spawn.Limit{{Resource: syscall.RLIMIT_CORE}}})
		if err := p.Signal(sig); err != nil {
			t.Fatalf("signal %d: %v", sig, err)
		}
		if s := wait(t, p, 10*time.Second); s.Signal != sig || s.Code != -1 || s.ShellCode() != 128+int(sig) {
			t.Errorf("signal %d: %+v", sig, s)
		}
	}
}

// TestCode137IsNotSIGKILL holds apart what a shell would show alike.
func TestCode137IsNotSIGKILL(t *testing.T) {
	h := open(t, host.Config{})
	exit := wait(t, start(t, h, sh("exit 137")), 10*time.Second)
	kill := wait(t, start(t, h, sh("kill -9 $$")), 10*time.Second)
	if exit.Code != 137 || exit.Signaled() || !kill.Signaled() || kill.Code != -1 || exit.ShellCode() != kill.ShellCode() {
		t.Errorf("exit 137: %+v; kill -9: %+v", exit, kill)
	}
}

func TestWaitTwiceAndConcurrently(t *testing.T) {
	h := open(t, host.Config{})
	p := start(t, h, sh("exit 42"))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if s, err := p.Wait(); s.Code != 42 || err != nil {
				t.Errorf("Wait() = %+v, %v", s, err)
			}
		})
	}
	wg.Wait()
	if s, err := p.Wait(); s.Code != 42 || err != nil {
		t.Errorf("late Wait() = %+v, %v", s, err)
	}
}

func TestRusage(t *testing.T) {
	h := open(t, host.Config{})
	s := wait(t, start(t, h, sh("i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done")), 30*time.Second)
	if s.Rusage.UserTime <= 0 || s.Rusage.MaxRSS < 100<<10 || s.Time.IsZero() {
		t.Errorf("status %+v", s)
	}
}

// TestManyShortChildren counts the exits of children that are gone before
// their start is reported: none is lost, none comes twice.
func TestManyShortChildren(t *testing.T) {
	h := open(t, host.Config{})
	path := tiny(t)
	const callers = 16
	n := 10000 / callers
	if testing.Short() || raceEnabled {
		n = 1000 / callers
	}
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range n {
				p, err := h.Start(context.Background(), spawn.Spec{Path: path, Env: []string{}})
				if err != nil {
					t.Error(err)
					return
				}
				if s, err := p.Wait(); err != nil || !s.Success() {
					t.Errorf("%+v, %v", s, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestCoreFlag ends children by SIGQUIT, with and without a limit on the core.
func TestCoreFlag(t *testing.T) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &l); err != nil {
		t.Fatal(err)
	}
	h := open(t, host.Config{})
	for _, soft := range []uint64{0, l.Max} {
		spec := sh("kill -QUIT $$")
		spec.Dir = t.TempDir() // where a core may be written
		spec.Limits = []spawn.Limit{{Resource: syscall.RLIMIT_CORE, Soft: soft, Hard: l.Max}}
		s := wait(t, start(t, h, spec), 20*time.Second)
		if s.Signal != syscall.SIGQUIT {
			t.Errorf("status %+v, want SIGQUIT", s)
		}
		direct := exec.Command("sh", "-c", fmt.Sprintf("ulimit -Sc %v; kill -QUIT $$", coreWord(soft)))
		direct.Dir = spec.Dir
		direct.Run()
		if want := direct.ProcessState.Sys().(syscall.WaitStatus).CoreDump(); s.Core != want {
			t.Errorf("core limit %d: core flag %v, by os/exec %v", soft, s.Core, want)
		}
		if soft != 0 && !s.Core {
			t.Logf("no core is written here: a limit of %d, or /proc/sys/kernel/core_pattern", soft)
		}
	}
}

// coreWord is a limit of cores as the shell takes it, in blocks.
func coreWord(n uint64) string {
	if n == spawn.Unlimited {
		return "unlimited"
	}
	return strconv.FormatUint(n/512, 10)
}
