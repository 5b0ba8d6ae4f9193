//go:build unix

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/backends/stub_blocked"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestBlockedSaysTheSameEverywhere: the backend itself, a host that asks its plugin,
// and the command say the same, in the same fields.
func TestBlockedSaysTheSameEverywhere(t *testing.T) {
	for _, b := range []sdk.Planner{stub_blocked.GoFork(), stub_blocked.Goroutine()} {
		key := b.(sdk.Backend).Describe().Key
		t.Run(key, func(t *testing.T) {
			_, err := b.Plan(t.Context(), &spawn.Spec{Path: "/bin/true", Args: []string{"true"}})
			var here *spawn.Error
			if !errors.As(err, &here) || here.Blocked == nil {
				t.Fatalf("the backend says %v", err)
			}
			for _, want := range []string{key, here.Blocked.Reason, here.Blocked.Alternative, "hatchery explain " + key,
				"hatchery smoketest --scenario " + here.Blocked.Scenario} {
				if want == "" || !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			there := refusalOfPlugin(t, key)
			if diff := cmp.Diff(here.Blocked, there.Blocked); diff != "" || there.Error() != here.Error() || !errors.Is(there, spawn.ErrNotImplemented) {
				t.Errorf("the host says\n%s\nand the backend\n%s\n%s", there, here, diff)
			}
			_, stderr, code := result(t, hatchery(t, "run", "--spawn-backend", key, "--", "true"))
			if code != codeBlocked || stderr != "hatchery: "+here.Error()+"\n" {
				t.Errorf("the command exits with %d and says\n%sand the backend\n%s", code, stderr, here)
			}
		})
	}
}

// refusalOfPlugin returns what a host says that has the method from a plugin.
func refusalOfPlugin(t *testing.T, key string) *spawn.Error {
	t.Helper()
	h, err := host.Open(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	cmd := h.Command("/bin/true")
	cmd.Method = key
	var e *spawn.Error
	if err := cmd.Start(); !errors.As(err, &e) {
		t.Fatalf("the host says %v", err)
	}
	return e
}
