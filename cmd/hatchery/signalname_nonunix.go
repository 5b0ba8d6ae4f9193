//go:build !unix

package main

import (
	"fmt"
	"syscall"
)

func signalName(s syscall.Signal) string { return fmt.Sprintf("SIG%d", int(s)) }
