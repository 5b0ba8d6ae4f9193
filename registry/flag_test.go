package registry

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/hatchery-spawn/hatchery/spawn"
)

var (
	_ flag.Getter = (*Flag)(nil)
	_ pflag.Value = (*Flag)(nil)
)

func TestFlagLeavesTheEarlierChoiceOnError(t *testing.T) {
	f := NewFlag(standard(t))
	if f.String() != "" || f.Key() != "" {
		t.Errorf("a new flag has %q", f)
	}
	if err := f.Set("isolate"); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "Isolate", "nothing"} {
		if err := f.Set(bad); !errors.Is(err, spawn.ErrUnknownMethod) {
			t.Errorf("Set(%q): %v, want ErrUnknownMethod", bad, err)
		}
		if f.Key() != "isolate" || f.String() != "isolate" || f.Get() != SpawnMethodKey("isolate") {
			t.Errorf("after Set(%q) the choice is %q, want isolate", bad, f.Key())
		}
	}
	if err := f.Set("go_fork"); err != nil {
		t.Errorf("a stub can be chosen: %v", err)
	}
}

func TestFlagInTheStandardLibrary(t *testing.T) {
	f := NewFlag(standard(t))
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	var out strings.Builder
	fs.SetOutput(&out)
	fs.Var(f, FlagName, f.Usage())
	if err := fs.Parse([]string{"--spawn-backend", "ForkExec"}); err == nil || !strings.Contains(err.Error(), "did you mean forkexec?") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out.String(), "go_fork (blocked)") {
		t.Errorf("usage does not list the keys:\n%s", out.String())
	}
	if err := fs.Parse([]string{"-spawn-backend=isolate"}); err != nil || f.Key() != "isolate" {
		t.Errorf("got %q, %v", f.Key(), err)
	}
}

func TestFlagInPflag(t *testing.T) {
	f := NewFlag(standard(t))
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Var(f, FlagName, f.Usage())
	if err := fs.Parse([]string{"--spawn-backend", "nothing"}); err == nil || !strings.Contains(err.Error(), "valid keys are forkexec,") {
		t.Errorf("got %v", err)
	}
	if err := fs.Parse([]string{"--spawn-backend=forkserver"}); err != nil || f.Key() != "forkserver" {
		t.Errorf("got %q, %v", f.Key(), err)
	}
	if usage := fs.FlagUsages(); !strings.Contains(usage, "--spawn-backend spawn-method") {
		t.Errorf("usage does not show the type:\n%s", usage)
	}
}

func TestUsageListsEveryKey(t *testing.T) {
	const want = "how children are started: forkexec (default), forkserver, go_fork (blocked), goroutine (blocked), isolate"
	if got := NewFlag(standard(t)).Usage(); got != want {
		t.Errorf("got\n %s\nwant\n %s", got, want)
	}
}

func TestComplete(t *testing.T) {
	r := standard(t)
	more := []Entry{
		{Key: "ssh", Path: "/lib/spawn-backend-ssh"},
		{Key: "sshd", Serve: serve, Summary: "first\tline\nsecond"},
	}
	for _, e := range more {
		if err := r.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	f := NewFlag(r)
	tests := []struct {
		prefix string
		want   []string
	}{
		{"fork", []string{"forkexec\tstarts forkexec", "forkserver\tstarts forkserver"}},
		{"go_", []string{"go_fork\tblocked: fork without exec"}},
		{"s", []string{"ssh\t/lib/spawn-backend-ssh", "sshd\tfirst line"}},
		{"isolate", []string{"isolate\tstarts isolate"}},
		{"x", nil},
	}
	for _, tt := range tests {
		if got := f.Complete(tt.prefix); !slices.Equal(got, tt.want) {
			t.Errorf("Complete(%q) = %q, want %q", tt.prefix, got, tt.want)
		}
	}
	if n := len(f.Complete("")); n != len(r.Keys()) {
		t.Errorf("Complete of nothing offers %d of %d keys", n, len(r.Keys()))
	}
}
