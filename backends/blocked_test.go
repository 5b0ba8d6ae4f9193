package backends_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/backends/stub_blocked"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// stubs are the blocked methods, by their keys.
func stubs() map[registry.SpawnMethodKey]sdk.Planner {
	return map[registry.SpawnMethodKey]sdk.Planner{"go_fork": stub_blocked.GoFork(), "goroutine": stub_blocked.Goroutine()}
}

// TestStubsAliasNothing: what is blocked is a stub under its own key, which leads to
// a method that works; nothing that works is served by a stub; and a stub refuses
// whatever it is asked.
func TestStubsAliasNothing(t *testing.T) {
	live, blocked := map[string]bool{}, map[registry.SpawnMethodKey]registry.Entry{}
	for _, e := range backends.Builtin() {
		if e.Status == registry.Blocked {
			blocked[e.Key] = e
		} else {
			live[string(e.Key)] = true
		}
	}
	for key, e := range blocked {
		stub, ok := stubs()[key]
		if !ok {
			t.Errorf("%s is blocked and no stub of this test", key)
			continue
		}
		if got := stub.(sdk.Backend).Describe().Key; got != string(key) || live[got] {
			t.Errorf("%s is served by %s", key, got)
		}
		if !live[e.Alternative] || live[string(key)] || e.Early {
			t.Errorf("%s: alternative %q, early %v: want a method that works, which it is not itself", key, e.Alternative, e.Early)
		}
		for _, s := range []spawn.Spec{{}, {Path: "/bin/true", Args: []string{"true"}}, {Path: "\x00", Options: []spawn.Option{{Key: "a", Value: "b"}}}} {
			plan, err := stub.Plan(t.Context(), &s)
			if plan != nil || !errors.Is(err, spawn.ErrNotImplemented) {
				t.Errorf("%s makes the plan %v, %v, of %v", key, plan, err, s)
			}
		}
	}
	for key := range stubs() {
		if _, ok := blocked[key]; !ok {
			t.Errorf("the stub %s is not among the methods, or is not blocked there", key)
		}
	}
}

// TestStubBinariesAreStubs reads the programs: that of a blocked method serves its
// stub and no other backend, and that of another no stub.
func TestStubBinariesAreStubs(t *testing.T) {
	programs, err := filepath.Glob("../cmd/spawn-backend-*/main.go")
	if err != nil || len(programs) == 0 {
		t.Fatal(programs, err)
	}
	for _, p := range programs {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		key := registry.SpawnMethodKey(strings.TrimPrefix(filepath.Base(filepath.Dir(p)), "spawn-backend-"))
		_, blocked := stubs()[key]
		if serves := strings.Contains(string(text), "stub_blocked."); serves != blocked || strings.Count(string(text), "/backends/") != 1 {
			t.Errorf("%s: serves a stub: %v, is blocked: %v; want one backend", p, serves, blocked)
		}
	}
}
