package keeper

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestShortagesAreExplained(t *testing.T) {
	for _, tt := range []struct {
		e    spawn.Error
		says string
	}{
		{spawn.Error{Op: "clone", Errno: syscall.EAGAIN}, "RLIMIT_NPROC"},
		{spawn.Error{Op: "clone", Errno: syscall.EAGAIN}, "pids.max"},
		{spawn.Error{Op: "clone", Errno: syscall.ENOMEM}, "memory.max"},
		{spawn.Error{Op: "clone", Errno: syscall.EMFILE}, "before the host is opened"},
		{spawn.Error{Op: "receive", Errno: syscall.EMFILE, Msg: "the host has no room"}, "the host has no room; RLIMIT_NOFILE: raise it"},
		{spawn.Error{Op: "send", Errno: syscall.ETOOMANYREFS}, "in flight"},
		{spawn.Error{Op: "open", Errno: syscall.ENFILE}, "file-max"},
	} {
		err := explain(&tt.e)
		if !errors.Is(err, tt.e.Errno) || !strings.Contains(err.Error(), tt.says) || !err.(*spawn.Error).Retryable() {
			t.Errorf("%v: does not say %q, or is not retryable", err, tt.says)
		}
	}
	for _, e := range []*spawn.Error{{Op: "chdir", Errno: syscall.ENOENT}, {Op: "open", Errno: syscall.EMFILE}, {Kind: spawn.ErrBadPlan}} {
		if err := explain(e); err != e {
			t.Errorf("%v was changed to %v", e, err)
		}
	}
}
