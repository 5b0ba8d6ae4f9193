//go:build linux && (amd64 || arm64)

package linux

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// The signal does nothing here, also on a thread that runs Go code, and kills
// what is executed.
func TestDeafTo(t *testing.T) {
	const sig = syscall.SIGUSR1
	defer func() { // gives the runtime its handler back
		c := make(chan os.Signal, 1)
		signal.Notify(c, sig)
		signal.Stop(c)
	}()
	if err := DeafTo(sig); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
	}
	if Ignored(sig) {
		t.Error("it is ignored, and would be in children")
	}
	err := exec.Command("/bin/sh", "-c", "kill -USR1 $$").Run()
	var e *exec.ExitError
	if e, _ = err.(*exec.ExitError); e == nil || e.Sys().(syscall.WaitStatus).Signal() != sig {
		t.Errorf("the child ended with %v", err)
	}
}
