//go:build !linux

package main

import "syscall"

func systemSignalName(s syscall.Signal) string { return numbered(s) }
