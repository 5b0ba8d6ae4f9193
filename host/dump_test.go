//go:build linux

package host_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

// dump returns a dump that must not take longer than it says.
func dump(t testing.TB, h *host.Host) string {
	t.Helper()
	var b bytes.Buffer
	begin := time.Now()
	if err := h.Dump(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > 4*time.Second {
		t.Errorf("the dump took %v", d)
	}
	if b.Len() > 8<<20 {
		t.Errorf("the dump has %d bytes", b.Len())
	}
	return b.String()
}

// says reports what is missing in a dump, and the dump.
func says(t testing.TB, dump string, want ...string) {
	t.Helper()
	missing := false
	for _, w := range want {
		if !strings.Contains(dump, w) {
			missing = true
			t.Errorf("the dump does not say %q", w)
		}
	}
	if missing {
		t.Log(dump)
	}
}

func TestDump(t *testing.T) {
	h := open(t, host.Config{})
	p := ready(t, h, `trap "" TERM; echo; while :; do sleep 10; done`)
	p.SetStop(host.StopOptions{Grace: time.Minute})
	ctx, hasten := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() { p.Stop(ctx); close(stopped) }()
	defer func() { hasten(); <-stopped }()
	eventually(t, func() bool {
		d := dump(t, h)
		return strings.Contains(d, "was asked to end") && strings.Contains(d, "\n  grace ")
	})
	keeper := keeperOf(t)
	says(t, dump(t, h),
		fmt.Sprintf("process %d, method forkexec, sh, ", p.Pid()), "was asked to end",
		"\n  stop  ", "\n  grace ", fmt.Sprintf(" left, method forkexec, process %d\n", p.Pid()),
		fmt.Sprintf("\n  process %d, sleeping; lane: 0 launches of 128 in flight", keeper),
		"\n  forkexec: plugin ", "hatchery-plugin forkexec\n", " in wait4", // of the tree
		"host.(*Process).askToEnd", "\n-- forkexec, process ", "sdk.Main(", "children 2, launches under way 0\n", "(*keeper).reap",
		"== end of the dump\n")
}

// eventually waits for something that is no event.
func eventually(t testing.TB, true func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !true(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("it has not come about in 10 s")
		}
	}
}
