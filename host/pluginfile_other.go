//go:build !unix

package host

import "syscall"

func checkPluginFile(path string) error { return nil }

func checkOwner(path string) error { return nil }

func sysFD(fd int) syscall.Handle { return syscall.Handle(fd) }
