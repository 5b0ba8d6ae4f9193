//go:build unix

package bench

import "syscall"

// ownGroup has a child be in a process group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
