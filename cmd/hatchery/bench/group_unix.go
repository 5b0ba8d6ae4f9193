//go:build unix

package bench

import (
	"os"
	"syscall"
)

// ownGroup has a child be in a process group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a child that is in a group of its own, and all of that.
func killGroup(p *os.Process) {
	// The group keeps its number while the child has not been waited for.
	if syscall.Kill(-p.Pid, syscall.SIGKILL) != nil {
		p.Kill()
	}
}
