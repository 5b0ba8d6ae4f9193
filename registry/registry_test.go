package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func serve() int { return 0 }

func live(key SpawnMethodKey) Entry {
	return Entry{Key: key, Summary: "starts " + string(key), Serve: serve}
}

func stub(key SpawnMethodKey) Entry {
	return Entry{
		Key: key, Status: Blocked, Summary: "fork without exec", Serve: serve,
		Reason: "only the calling thread survives", Alternative: "forkexec", Analysis: "docs/analysis/go_fork.md",
	}
}

// standard is the registry that most tests use.
func standard(t testing.TB) *Registry {
	t.Helper()
	r, err := New(live("isolate"), stub("go_fork"), live("forkserver"), live("forkexec"), stub("goroutine"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeysAreSortedAndHaveTheStubs(t *testing.T) {
	r := standard(t)
	want := []SpawnMethodKey{"forkexec", "forkserver", "go_fork", "goroutine", "isolate"}
	if got := r.Keys(); !slices.Equal(got, want) {
		t.Errorf("Keys() = %v, want %v", got, want)
	}
	var fromEntries []SpawnMethodKey
	for _, e := range r.Entries() {
		fromEntries = append(fromEntries, e.Key)
	}
	if !slices.Equal(fromEntries, want) {
		t.Errorf("Entries() are in the order %v, want %v", fromEntries, want)
	}
}

func TestZeroRegistryIsEmptyAndUsable(t *testing.T) {
	var r Registry
	if len(r.Keys()) != 0 || len(r.Entries()) != 0 {
		t.Errorf("zero Registry has %v", r.Keys())
	}
	if _, err := r.Lookup("forkexec"); err == nil || !strings.Contains(err.Error(), "no method is registered at all") {
		t.Errorf("Lookup in an empty registry: %v", err)
	}
	if err := r.Add(live("forkexec")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Lookup("forkexec"); err != nil {
		t.Error(err)
	}
}

func TestBuiltinIsStableUnlessItSaysOtherwise(t *testing.T) {
	r, err := New(live("a"), Entry{Key: "b", Serve: serve, Status: Experimental}, Entry{Key: "c", Path: "/p"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Status{"a": Stable, "b": Experimental, "c": ""} {
		if e, err := r.Lookup(key); err != nil || e.Status != want {
			t.Errorf("%s has status %q (%v), want %q", key, e.Status, err, want)
		}
	}
}

func TestAddRefusesWhatBreaksARule(t *testing.T) {
	blocked := func(change func(*Entry)) Entry {
		e := stub("go_fork")
		change(&e)
		return e
	}
	tests := []struct {
		name  string
		entry Entry
		want  string
	}{
		{"no key", Entry{Serve: serve}, "key is empty"},
		{"bad key", Entry{Key: "Go", Serve: serve}, "lower case"},
		{"nothing serves it", Entry{Key: "x"}, "spawn method x: nothing serves it: want Serve or Path"},
		{"two things serve it", Entry{Key: "x", Serve: serve, Path: "/p"}, "both Serve and Path (/p)"},
		{"relative path", Entry{Key: "x", Path: "p/q"}, `plugin path "p/q" is relative`},
		{"strange status", Entry{Key: "x", Serve: serve, Status: "fine"}, `status "fine": want stable, experimental or blocked`},
		{"no reason", blocked(func(e *Entry) { e.Reason = "" }), "without a Reason"},
		{"no alternative", blocked(func(e *Entry) { e.Alternative = "" }), "without an Alternative"},
		{"no analysis", blocked(func(e *Entry) { e.Analysis = "" }), "without an Analysis"},
		{"itself as alternative", blocked(func(e *Entry) { e.Alternative = "go_fork" }), "its own Alternative"},
		{"alternative is prose", blocked(func(e *Entry) { e.Alternative = "use exec" }), "its Alternative is no key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := standard(t)
			before := r.Keys()
			err := r.Add(tt.entry)
			if err == nil {
				t.Fatal("was accepted")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q does not say %q", err, tt.want)
			}
			if after := r.Keys(); !slices.Equal(before, after) {
				t.Errorf("keys changed from %v to %v", before, after)
			}
		})
	}
}

func TestDuplicateNamesBothAndTheFirstStays(t *testing.T) {
	tests := []struct {
		name          string
		first, second Entry
		want          string
	}{
		{"two binaries", Entry{Key: "x", Path: "/a/spawn-backend-x"}, Entry{Key: "x", Path: "/b/spawn-backend-x"},
			"spawn method x is claimed by two (/a/spawn-backend-x and /b/spawn-backend-x): rename or remove one"},
		{"binary over built-in", live("x"), Entry{Key: "x", Path: "/b"}, "(built-in and /b)"},
		{"built-in twice", live("x"), live("x"), "spawn method x is registered twice (built-in)"},
		{"stub over live", live("x"), stub("x"), "registered twice"},
		{"live over stub", stub("x"), live("x"), "registered twice"},
		{"binary over stub", stub("x"), Entry{Key: "x", Path: "/b"}, "(built-in and /b)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Registry
			if err := r.Add(tt.first); err != nil {
				t.Fatal(err)
			}
			err := r.Add(tt.second)
			var dup *DuplicateError
			if !errors.As(err, &dup) {
				t.Fatalf("got %v, want a *DuplicateError", err)
			}
			if dup.Key != "x" || dup.First.Source() != tt.first.Source() || dup.Second.Source() != tt.second.Source() {
				t.Errorf("wrong details: %+v", dup)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q does not say %q", err, tt.want)
			}
			if e, err := r.Lookup("x"); err != nil || e.Source() != tt.first.Source() || e.Reason != tt.first.Reason {
				t.Errorf("the first did not stay: %+v, %v", e, err)
			}
			if _, err := New(tt.first, tt.second); !errors.As(err, &dup) {
				t.Errorf("New: %v, want a *DuplicateError", err)
			}
		})
	}
}

func TestLookupOfTheUnknown(t *testing.T) {
	const valid = "valid keys are forkexec, forkserver, go_fork, goroutine, isolate"
	tests := []struct{ key, want string }{
		{"ForkExec", "ForkExec: select: unknown spawn method: did you mean forkexec? " + valid},
		{"FORK_EXEC", "FORK_EXEC: select: unknown spawn method: did you mean forkexec? " + valid},
		{"docker", "docker: select: unknown spawn method: " + valid},
		{"", "select: unknown spawn method: the key is empty; " + valid},
	}
	for _, tt := range tests {
		e, err := standard(t).Lookup(tt.key)
		if err == nil {
			t.Errorf("Lookup(%q) = %+v, want an error", tt.key, e)
			continue
		}
		if err.Error() != tt.want {
			t.Errorf("Lookup(%q) says\n %s\nwant\n %s", tt.key, err, tt.want)
		}
		var se *spawn.Error
		if !errors.Is(err, spawn.ErrUnknownMethod) || !errors.As(err, &se) {
			t.Errorf("Lookup(%q): %#v is not the kind it should be", tt.key, err)
		} else if se.Key != tt.key || se.Phase != spawn.PhaseSelect {
			t.Errorf("Lookup(%q): key %q, phase %q", tt.key, se.Key, se.Phase)
		}
	}
}

func TestLookupFindsAStub(t *testing.T) {
	e, err := standard(t).Lookup("go_fork")
	if err != nil {
		t.Fatal(err)
	}
	if e.Status != Blocked || e.Alternative != "forkexec" {
		t.Errorf("got %+v", e)
	}
}

// Run with -race: the test is the absence of its report, and the count.
func TestRegistryIsSafeForConcurrentUse(t *testing.T) {
	const each = 50
	var r Registry
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range each {
				if err := r.Add(live(SpawnMethodKey(fmt.Sprintf("g%d_%d", g, i)))); err != nil {
					t.Error(err)
				}
				r.Keys()
				r.Entries()
				r.Nearest("g0")
				r.Lookup("nothing")
			}
		})
	}
	wg.Wait()
	if n := len(r.Keys()); n != 4*each {
		t.Errorf("%d keys, want %d", n, 4*each)
	}
}
