//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestPidReused has the kernel give the pid of a child that has ended to the
// next one, many times: neither is taken for the other.
func TestPidReused(t *testing.T) {
	skipWithoutPidNamespace(t)
	cmd := helperproc.Command("reuse")
	cmd.SysProcAttr = ownPids()
	out, err := cmd.CombinedOutput()
	switch {
	case strings.Contains(string(out), "ns_last_pid"):
		t.Skipf("the kernel does not let pids be chosen: %s", out)
	case err != nil || string(out) != "ok\n":
		t.Errorf("%v\n%s", err, out)
	}
}

func reuseHelper([]string) int {
	err := ownProc()
	if err == nil {
		err = reusePids()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ok")
	return 0
}

func reusePids() error {
	h, err := host.Open(host.Config{})
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.Command("true").Run(); err != nil { // the plugin is there
		return err
	}
	reused := 0
	for i := range 60 {
		first, err := h.Start(context.Background(), sh(fmt.Sprintf("exit %d", i)))
		if err != nil {
			return err
		}
		<-first.Done()
		second, ok, err := sleepAs(h, first.Pid())
		if err != nil {
			return err
		}
		if ok {
			reused++
			if err := tellApart(first, second, i); err != nil {
				return fmt.Errorf("pid %d, round %d: %w", first.Pid(), i, err)
			}
		}
		second.Signal(syscall.SIGUSR1)
		if s, err := second.Wait(); err != nil || s.Signal != syscall.SIGUSR1 {
			return fmt.Errorf("the second: %+v, %v", s, err)
		}
	}
	if reused < 20 {
		return fmt.Errorf("only %d pids of 60 were used again", reused)
	}
	return h.Close()
}

// sleepAs starts a child whose pid is to be the given one. It is not, when
// somebody else was given that meanwhile: a thread, say.
func sleepAs(h *host.Host, pid int) (p *host.Process, ok bool, err error) {
	if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
		return nil, false, err
	}
	p, err = h.Start(context.Background(), spawn.Spec{Path: "sleep", Args: []string{"sleep", "1000"}})
	return p, err == nil && p.Pid() == pid, err
}

// tellApart does to the first child, which has ended with the given code, all
// that must not hit the second.
func tellApart(first, second *host.Process, code int) error {
	if err := first.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("Signal: %w", err)
	}
	if err := first.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("Kill: %w", err)
	}
	for range 2 {
		if s, err := first.Stop(context.Background()); err != nil || s.Code != code {
			return fmt.Errorf("the first: %+v, %w", s, err)
		}
		if s, err := first.Wait(); err != nil || s.Code != code {
			return fmt.Errorf("the first: %+v, %w", s, err)
		}
	}
	if !alive(second.Pid()) {
		return errors.New("the second was hit")
	}
	return nil
}
