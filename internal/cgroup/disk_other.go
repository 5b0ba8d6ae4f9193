//go:build !linux

package cgroup

import "errors"

// Disk is there on Linux alone.
func Disk(string) (string, error) { return "", errors.ErrUnsupported }
