package keeper

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// jailed is a shell script in a pid namespace of its own, with a process 1.
func jailed(t *testing.T, script string, files ...*os.File) *Launch {
	l := shell(t, script, files...)
	p := &spawn.Plan{Steps: []spawn.Step{spawn.Clone(syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID)}}
	for _, line := range [][2]string{
		{"/proc/self/setgroups", "deny"},
		{"/proc/self/uid_map", fmt.Sprintf("0 %d 1", os.Geteuid())},
		{"/proc/self/gid_map", fmt.Sprintf("0 %d 1", os.Getegid())},
	} {
		at := len(p.Steps)
		p.Steps = append(p.Steps, spawn.Open(spawn.Str(line[0]), os.O_WRONLY, 0),
			spawn.Write(spawn.Result(at), spawn.Str(line[1])), spawn.Close(spawn.Result(at)))
	}
	p.Steps = append(p.Steps, spawn.Setpgid(0), spawn.Init(), spawn.Setpgid(0), spawn.Files(), spawn.Exec(spawn.HolePath.Arg()))
	l.Plan = encode(t, p)
	return l
}

func needsPidNamespaces(t *testing.T, c *Client) {
	t.Helper()
	ended := make(chan Exit, 1)
	s, err := c.Launch(t.Context(), jailed(t, "exit 0"), func(e Exit) { ended <- e })
	if err != nil {
		t.Skip("needs user namespaces: ", err)
	}
	<-ended
	syscall.Close(s.Pidfd)
}

// TestProgramEnd: the status of a child with a process 1 is its program's.
func TestProgramEnd(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	for script, want := range map[string]spawn.ExitStatus{
		"exit 0":                             {},
		"exit 139":                           {Code: 139},
		"kill -KILL $$":                      {Signal: syscall.SIGKILL},
		"ulimit -c 0; kill -SEGV $$":         {Signal: syscall.SIGSEGV},
		"kill -STOP $$; exit 3":              {Code: 3},
		"(trap '' TERM; sleep 100) & exit 4": {Code: 4},
	} {
		s := launchIt(t, c, jailed(t, script))
		if script == "kill -STOP $$; exit 3" {
			go func() { // until it has stopped, this changes nothing
				for alive(s.Pid) {
					c.Signal(context.Background(), s.ID, syscall.SIGCONT)
				}
			}()
		}
		if st := s.wait(t, 10*time.Second); want.Signal == 0 && st.Code != want.Code || st.Signal != want.Signal || st.Source != spawn.FromKernel {
			t.Errorf("%s: %+v, want %+v", script, st, want)
		}
	}
}

// TestProgramEndByControl: signals reach the program, and a killed tree says by
// what.
func TestProgramEndByControl(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	ready := func() started {
		s := launchIt(t, c, jailed(t, "echo; exec sleep 100", null, w))
		if _, err := r.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := ready()
	if err := c.Signal(t.Context(), s.ID, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if st := s.wait(t, 10*time.Second); st.Signal != syscall.SIGTERM {
		t.Errorf("SIGTERM: %+v", st)
	}
	s = ready()
	if err := c.Kill(t.Context(), s.ID); err != nil {
		t.Error(err)
	}
	if st := s.wait(t, 10*time.Second); st.Signal != syscall.SIGKILL {
		t.Errorf("Kill: %+v", st)
	}
}
