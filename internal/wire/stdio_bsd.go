//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package wire

import "syscall"

// stdoutToStderr makes descriptor 1 another name for descriptor 2.
func stdoutToStderr() error { return syscall.Dup2(2, 1) }
