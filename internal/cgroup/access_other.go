//go:build !linux

package cgroup

import "errors"

func writable(string) error { return errors.ErrUnsupported }
