//go:build linux

package escapesuite

import (
	"bufio"
	"os/exec"
	"strconv"
	"syscall"
)

// secretVariable is in the environment of victims.
const secretVariable = "ESCAPE_SECRET=" + mine

// victim starts a process to be attacked, which ends with the scene, and returns its
// id. It is harmed when a signal has ended it.
func (s *scene) victim() string { return s.victimOf(nil) }

// victimOf is victim for a process of another user.
func (s *scene) victimOf(who *syscall.Credential) string {
	c := exec.Command("cat")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	c.Env = []string{secretVariable}
	in, err := c.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := c.Start(); err != nil {
		s.Fatal(err)
	}
	in.Write([]byte("ready\n")) // it says so itself once it is what it is to be
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		s.Fatalf("the victim says %q, %v", line, err)
	}
	ended := false
	end := func() bool {
		if !ended {
			ended = true
			in.Close()
			c.Wait()
		}
		return c.ProcessState.Sys().(syscall.WaitStatus).Signaled()
	}
	s.Cleanup(func() { end() })
	s.harmed = end
	return strconv.Itoa(c.Process.Pid)
}
