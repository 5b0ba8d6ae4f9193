//go:build linux

package keeper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// placed is shell for a child with this Spec.
func placed(t testing.TB, s spawn.Spec, script string, files ...*os.File) *Launch {
	l := shell(t, script, files...)
	l.Plan = encode(t, spawn.Standard(&s))
	return l
}

// places are where a child can be.
var places = map[string]spawn.Spec{
	"host's group": {},
	"own group":    {Group: spawn.NewGroup},
	"session":      {Session: true},
}

// TestExitSaysWhatIsLeft: an exit says that the child has left something in the
// group that it led, and nothing of a child that has not.
func TestExitSaysWhatIsLeft(t *testing.T) {
	c := newClient(t)
	for name, spec := range places {
		e := waitExit(t, launchIt(t, c, placed(t, spec, `sleep 0.001 & wait`)))
		if e.Left {
			t.Errorf("%s: a child that left nothing is said to have left something", name)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := launchIt(t, c, placed(t, spec, `sleep 600 & echo $!; exit 0`, nil2(t), w))
		w.Close()
		pid := readPid(t, r)
		if e := waitExit(t, s); e.Left != (name != "host's group") {
			t.Errorf("%s: Left is %v", name, e.Left)
		}
		cleared, err := c.Clear(t.Context(), s.ID, time.Second, time.Second)
		if err != nil {
			t.Error(err)
		}
		if name == "host's group" {
			syscall.Kill(pid, syscall.SIGKILL)
			if len(cleared.Ended)+len(cleared.Left) > 0 {
				t.Errorf("somebody was taken for what the child left: %+v", cleared)
			}
			continue
		}
		// It may not have become sleep yet.
		if len(cleared.Ended) != 1 || cleared.Ended[0].Pid != pid || cleared.Ended[0].Name[0] != 's' || len(cleared.Left) > 0 {
			t.Errorf("%s: %+v, want that %d ended", name, cleared, pid)
		}
		if _, err := linux.ReadStat(pid); err == nil {
			t.Errorf("%s: it is still there", name)
		}
	}
}

func waitExit(t testing.TB, s started) Exit {
	t.Helper()
	select {
	case e := <-s.exit:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no exit")
		return Exit{}
	}
}

// readPid reads a line with a pid, and closes the pipe.
func readPid(t testing.TB, r *os.File) int {
	t.Helper()
	defer r.Close()
	b := make([]byte, 32)
	n, err := r.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// TestLeftIsForgotten: what has ended by itself costs the keeper nothing.
func TestLeftIsForgotten(t *testing.T) {
	c := newClient(t)
	descriptors := func() (n int) {
		l, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", c.Pid()))
		for _, fd := range l {
			if name, _ := os.Readlink(fd); strings.Contains(name, "pidfd") {
				n++
			}
		}
		return n
	}
	become := func(want int) {
		t.Helper()
		for end := time.Now().Add(2 * time.Second); descriptors() != want; <-time.After(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the keeper has %d pidfds, want %d", descriptors(), want)
			}
		}
	}
	var pids []int
	for range 10 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := launchIt(t, c, placed(t, places["session"], `sleep 600 & echo $!`, nil2(t), w))
		w.Close()
		pids = append(pids, readPid(t, r))
		waitExit(t, s)
	}
	const own = 2 // of its host, of whose end it hears by it, and of itself
	become(own + 10)
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	become(own)
}

// TestAskFindsDaemons: what is below a child when it is asked is found again
// when it is an orphan in a session of its own.
func TestAskFindsDaemons(t *testing.T) {
	c := newClient(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := launchIt(t, c, shell(t, `setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 100; done' & wait`, nil2(t), w))
	w.Close()
	pid := readPid(t, r)
	if err := c.Ask(t.Context(), s.ID, syscall.SIGTERM, false); err != nil {
		t.Fatal(err)
	}
	if e := waitExit(t, s); !e.Left || e.Status.Signal != syscall.SIGTERM {
		t.Errorf("%+v", e)
	}
	if _, err := linux.ReadStat(pid); err != nil {
		t.Error("it has ended already: ", err)
	}
	cleared, err := c.Clear(t.Context(), s.ID, 100*time.Millisecond, time.Second)
	if err != nil || len(cleared.Left) > 0 || len(cleared.Ended) < 2 {
		t.Errorf("%+v, %v", cleared, err)
	}
	if _, err := linux.ReadStat(pid); err == nil {
		t.Error("it is still there")
	}
	if err := c.Ask(t.Context(), s.ID, syscall.SIGTERM, false); !errors.Is(err, syscall.ESRCH) {
		t.Error("asked after its end: ", err)
	}
}

// TestNumberOfAnother: a process that has the number of a child's group is no
// concern of the child's when the number has meant something else meanwhile.
func TestNumberOfAnother(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	st, err := linux.ReadStat(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	l := left{number: st.Session, session: true, pidfd: -1, ended: st.StartTime}
	if !l.owns(st) {
		t.Error("what was born before the child's end is not the child's")
	}
	l.ended--
	if l.owns(st) {
		t.Error("what was born after the child's end, by somebody who got its number, is taken for the child's")
	}
	other := exec.Command("sleep", "600")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	l.pidfd, err = linux.PidfdOpen(other.Process.Pid) // leads nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if l.owns(st) {
		t.Error("an empty group vouches for its number")
	}
	other.Process.Kill()
	other.Wait()
}

// TestLeftToAnother: a process that may not be signalled is named, and does not
// take the whole limit.
func TestLeftToAnother(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to make a program that becomes another user")
	}
	tool, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("no setpriv")
	}
	dir, err := os.MkdirTemp("", "setuid")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	b, err := os.ReadFile(tool)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "become")
	if err := errors.Join(os.WriteFile(copied, b, 0o755), os.Chmod(copied, 0o755|os.ModeSetuid), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "KEEPER_TEST_HELPER=powerless", "KEEPER_TEST_TOOL="+copied)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Stderr = os.Stderr
	cmd.Dir = "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	in.Close()
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	var took time.Duration
	if _, err := fmt.Sscan(string(out), &pid, &took); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	if pid == 0 {
		t.Skip("nothing in a temporary folder becomes another user here: nosuid?")
	}
	if st, err := linux.ReadStat(pid); err != nil || st.Comm != "sleep" {
		t.Errorf("process %d is named, which is %+v, %v", pid, st, err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	if took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

// powerlessHelper is a host whose child leaves something that it may not signal.
// It prints who that is, and the time it took to say so.
func powerlessHelper() {
	c, err := Start(Config{})
	if err != nil {
		panic(err)
	}
	plan, _ := spawn.Standard(&spawn.Spec{Group: spawn.NewGroup}).AppendBinary(nil)
	exit := make(chan Exit, 1)
	script := os.Getenv("KEEPER_TEST_TOOL") + ` --reuid 0 sleep 600 & while [ "$(stat -c %u /proc/$!)" != 0 ] && [ -d /proc/$! ]; do sleep 0.01; done`
	l := &Launch{Plan: plan, Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}}
	s, err := c.Launch(context.Background(), l, func(e Exit) { exit <- e })
	if err != nil {
		panic(err)
	}
	<-exit
	begin := time.Now()
	cleared, err := c.Clear(context.Background(), s.ID, 100*time.Millisecond, 20*time.Second)
	if err != nil {
		panic(err)
	}
	cleared.Left = append(cleared.Left, Proc{})
	fmt.Println(cleared.Left[0].Pid, time.Since(begin))
	c.Close(0, time.Millisecond)
}
