package wire

import "syscall"

// stdoutToStderr makes descriptor 1 another name for descriptor 2: what a
// plugin prints, by whatever means, goes where its diagnostics go, and the
// host has one place to look for last words.
func stdoutToStderr() error { return syscall.Dup3(2, 1, 0) }
