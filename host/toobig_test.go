//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestTooBigIsWhereExecveHasIt goes to the borders, in arguments and in the
// environment, and compares with a direct exec.
func TestTooBigIsWhereExecveHasIt(t *testing.T) {
	h := open(t, host.Config{})
	path := tiny(t)
	many := func(total int) []string { // in strings of 64 KiB
		return slices.Repeat([]string{strings.Repeat("x", 64<<10-1)}, total>>16)
	}
	one := func(n int) []string { return []string{strings.Repeat("x", n)} }
	tests := []struct {
		name string
		list []string
		fits bool
	}{
		{"80 MiB", many(80 << 20), false}, // the first of its shape: the plugin is asked
		{"131071 bytes in one", one(131071), true},
		{"131072 bytes in one", one(131072), false},
		{"1.9 MiB", many(19 << 20 / 10), true},
		{"3 MiB", many(3 << 20), false},
		{"6 MiB", many(6 << 20), false},
	}
	for _, tt := range tests {
		for _, where := range []string{"arguments", "environment"} {
			args, env := []string{"tiny"}, []string{}
			if where == "arguments" {
				args = append(args, tt.list...)
			} else {
				env = tt.list
			}
			direct := exec.Cmd{Path: path, Args: args, Env: env}
			if where == "environment" && len(env) > 1 { // os/exec takes equal ones out
				direct.Env = nil
				for i, s := range env {
					direct.Env = append(direct.Env, fmt.Sprintf("%03d=%s", i, s[4:]))
				}
			}
			want := direct.Run()
			begin := time.Now()
			p, err := h.Start(context.Background(), spawn.Spec{Path: path, Args: args, Env: env})
			if err == nil {
				_, err = p.Wait()
			}
			if (want == nil) != tt.fits || (err == nil) != tt.fits || err != nil && !errors.Is(err, syscall.E2BIG) {
				t.Errorf("%s of %s: os/exec %v, here %v", where, tt.name, want, err)
			}
			var e *spawn.Error
			if err != nil && (!errors.As(err, &e) || e.Phase != spawn.PhaseExec || e.Retryable()) {
				t.Errorf("%s of %s: %#v", where, tt.name, err)
			}
			if d := time.Since(begin); d > 5*time.Second {
				t.Errorf("%s of %s took %v", where, tt.name, d)
			}
		}
	}
	if err := startWait(h, path); err != nil {
		t.Error("and then: ", err)
	}
}

// TestTooBigOfANewShape has the plugin asked about each.
func TestTooBigOfANewShape(t *testing.T) {
	h := open(t, host.Config{})
	path := tiny(t)
	for i, size := range []int{3 << 20, 6<<20 - 100, 6<<20 + 100, 70 << 20} {
		args := append([]string{"tiny"}, slices.Repeat([]string{strings.Repeat("x", 9999)}, size/10000)...)
		mask := uint32(i)
		_, err := h.Start(context.Background(), spawn.Spec{Path: path, Args: args, Umask: &mask})
		var e *spawn.Error
		if !errors.Is(err, syscall.E2BIG) || !errors.As(err, &e) || e.Phase != spawn.PhaseExec || e.Msg == "" {
			t.Errorf("%d bytes: %#v", size, err)
		}
	}
}

// TestNULIsRefusedAtOnce puts one into every kind of string.
func TestNULIsRefusedAtOnce(t *testing.T) {
	h := open(t, host.Config{})
	const bad = "a\x00b"
	for name, spec := range map[string]spawn.Spec{
		"path": {Path: bad}, "argument": {Path: "true", Args: []string{"true", bad}},
		"environment": {Path: "true", Env: []string{"A=1", bad}}, "directory": {Path: "true", Dir: bad},
	} {
		_, err := h.Start(context.Background(), spec)
		cmd := h.Command(spec.Path)
		cmd.Args, cmd.Env, cmd.Dir = spec.Args, spec.Env, spec.Dir
		for _, err := range []error{err, cmd.Run()} {
			var e *spawn.Error
			if !errors.Is(err, syscall.EINVAL) || !errors.As(err, &e) || e.Phase != spawn.PhaseResolve {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
