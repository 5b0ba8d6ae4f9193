package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A built-in planner answers before its program is initialised, with what it
// answers after that, and goes on to that when more than a plan is wanted.
func TestEarly(t *testing.T) {
	early := open(t, host.Config{})
	entries := backends.Builtin()
	for i := range entries {
		entries[i].Early = false
	}
	r, err := registry.New(entries...)
	if err != nil {
		t.Fatal(err)
	}
	late := open(t, host.Config{Registry: r})

	same := func(when string) {
		t.Helper()
		for name, spec := range map[string]spawn.Spec{
			"plain":  {Path: "/bin/true"},
			"full":   {Path: "x", Dir: "/", Group: spawn.NewGroup, NoNewPrivs: true, Limits: []spawn.Limit{{Resource: 7, Soft: 1, Hard: spawn.Unlimited}}},
			"option": {Path: "x", Options: []spawn.Option{{Key: "net", Value: "none"}}},
		} {
			got, gotErr := early.Plan(t.Context(), "forkexec", spec)
			want, wantErr := late.Plan(t.Context(), "forkexec", spec)
			if fmt.Sprint(got) != fmt.Sprint(want) || !reflect.DeepEqual(gotErr, wantErr) {
				t.Errorf("%s, %s: got\n%v, %v\nwant\n%v, %v", when, name, got, gotErr, want, wantErr)
			}
		}
	}
	same("early")
	pid := pluginPid(t, early)
	if polls(t, pid) {
		t.Error("the program was initialised for a plan")
	}
	var dump strings.Builder
	if err := early.Dump(t.Context(), &dump); err != nil || !strings.Contains(dump.String(), "wire.Serve(") {
		t.Errorf("%v: no control connection came up:\n%s", err, dump.String())
	}
	if now := pluginPid(t, early); now != pid {
		t.Errorf("process %d has become %d", pid, now)
	}
	if !polls(t, pid) {
		t.Error("polls reports false in main too")
	}
	same("in main")
	if err := early.Probe(t.Context(), "forkexec"); err != nil {
		t.Error(err)
	}
}

// The hello of a stopped process does not come.
func TestEarlyThatHangs(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Call: 200 * time.Millisecond}})
	if err := h.Probe(t.Context(), "forkexec"); err != nil {
		t.Fatal(err)
	}
	stop(t, pluginPid(t, h))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := h.Plan(ctx, "forkexec", spawn.Spec{Path: "x"}); !errors.Is(err, spawn.ErrTimeout) {
		t.Errorf("got %v", err)
	}
}

// polls reports whether the plugin reads its lane in the runtime's poller, as
// what is served in main does.
func polls(t *testing.T, pid int) bool {
	t.Helper()
	const laneFD = 4
	info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, laneFD))
	var flags int
	if err == nil {
		_, err = fmt.Sscanf(string(info), "pos: 0\nflags: %o", &flags)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, info)
	}
	return flags&syscall.O_NONBLOCK != 0
}

func pluginPid(t *testing.T, h *host.Host) int {
	t.Helper()
	health, err := h.Health("forkexec")
	if err != nil || health.Pid == 0 {
		t.Fatalf("%+v, %v", health, err)
	}
	return health.Pid
}
