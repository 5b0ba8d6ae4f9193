//go:build linux && (amd64 || arm64)

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestSuccessionOfKeepers changes a helper in a way that only a birth passes on.
func TestSuccessionOfKeepers(t *testing.T) {
	if out := helperOutput(t, "succession"); out != "" {
		t.Error(out)
	}
}

// setIOPriority is a change that everybody may make, and that a child has from
// its birth.
func setIOPriority(level int) {
	value := uintptr(2<<13 | level) // best effort
	eachThread(func(tid int) { syscall.RawSyscall(syscall.SYS_IOPRIO_SET, 1, uintptr(tid), value) })
}

// successionHelper is a host with three keepers, one after the other. It says
// what is wrong.
func successionHelper([]string) int {
	s := &succession{}
	var err error
	if s.h, err = host.Open(host.Config{}); err != nil {
		fmt.Println(err)
		return 1
	}
	first := s.child("exec sleep 100") // and the plugin
	setIOPriority(6)
	second := s.child("exec sleep 100")
	s.child("sleep 101 & exit 0").p.Wait()
	orphans := linux.Children(second.keeper)
	setIOPriority(5)
	third := s.child("exec sleep 100")
	if first.keeper == second.keeper || second.keeper == third.keeper {
		s.say("keepers %d, %d, %d: want three", first.keeper, second.keeper, third.keeper)
	}
	if again := s.child("exec sleep 100"); again.keeper != third.keeper {
		s.say("a keeper more without a change")
	}
	if err := second.p.Signal(syscall.SIGTERM); err != nil {
		s.say("signal to a child of an old keeper: %v", err)
	}
	if st, err := second.p.Wait(); err != nil || st.Signal != syscall.SIGTERM {
		s.say("child of an old keeper: %v, %v", st, err)
	}
	if !alive(second.keeper) {
		s.say("an old keeper ended before its orphan")
	}
	for _, pid := range orphans {
		if pid != second.p.Pid() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	s.gone(second.keeper)
	s.refused()
	if err := s.h.Close(); err != nil {
		s.say("Close: %v", err)
	}
	s.gone(first.keeper, first.p.Pid(), third.keeper, third.p.Pid())
	return 0
}

// TestDeathWithTwoKeepers kills a host that has a keeper and an old one.
func TestDeathWithTwoKeepers(t *testing.T) {
	cmd := helperproc.Command("twokeepers")
	pids := lines(t, cmd)()
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("of %v, %d has ended before its host", pids, pid)
		}
	}
	cmd.Process.Kill()
	gone(t, 10*time.Second, pids...)
}

// twoKeepersHelper says the pids of its keepers and of what is below them.
func twoKeepersHelper([]string) int {
	s := &succession{}
	var err error
	if s.h, err = host.Open(host.Config{}); err != nil {
		fmt.Println(err)
		return 1
	}
	first := s.child("exec sleep 100")
	setIOPriority(6)
	second := s.child("exec sleep 100")
	s.child("setsid sleep 101 & exit 0").p.Wait()
	pids := []int{first.keeper, second.keeper}
	for _, k := range pids {
		pids = append(pids, linux.Children(k)...)
	}
	fmt.Println(strings.Trim(fmt.Sprint(pids), "[]"))
	select {}
}

type succession struct{ h *host.Host }

type born struct {
	p      *host.Process
	keeper int
}

func (s *succession) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func (s *succession) child(script string) born {
	p, err := s.h.Start(context.Background(), sh(script))
	if err != nil {
		s.say("%v", err)
		os.Exit(1)
	}
	st, _ := linux.ReadStat(p.Pid())
	return born{p, st.Parent}
}

// refused has the host change when it has no room for another keeper.
func (s *succession) refused() {
	setIOPriority(4)
	var old syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old)
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: old.Max})
	_, err := s.h.Start(context.Background(), sh("exit 0"))
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
	var e *spawn.Error
	if !errors.As(err, &e) || !errors.Is(err, syscall.EMFILE) || !strings.Contains(e.Msg, "has changed") || !e.Retryable() {
		s.say("without room for a keeper: %v, retryable %v", err, e != nil && e.Retryable())
	}
	if p, err := s.h.Start(context.Background(), sh("exit 0")); err != nil {
		s.say("with room again: %v", err)
	} else {
		p.Wait()
	}
}

// gone waits for the end of processes.
func (s *succession) gone(pids ...int) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		left := 0
		for _, pid := range pids {
			if alive(pid) {
				left = pid
			}
		}
		switch {
		case left == 0:
			return
		case time.Now().After(end):
			s.say("%d is still there", left)
			return
		}
	}
}
