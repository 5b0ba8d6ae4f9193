package registry

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	tests := []struct {
		key  string
		want SpawnMethodKey // empty: nothing is near
	}{
		{"forkexec", "forkexec"},
		{"ForkExec", "forkexec"},
		{"FORKEXEC", "forkexec"},
		{"forkexce", "forkexec"}, // swapped
		{"frokexec", "forkexec"},
		{"fork-exec", "forkexec"},
		{"fork_exec", "forkexec"},
		{"forkexe", "forkexec"},
		{"Go-Fork", "go_fork"},
		{"gofork", "go_fork"},
		{"gorutine", "goroutine"},
		{"isolated", "isolate"},
		{"fork_server", "forkserver"},
		{"", ""},
		{"x", ""},
		{"fork", ""},
		{"docker", ""},
		{"exec", ""},
		{"\xff\xfe", ""},
		{strings.Repeat("forkexec", 1000), ""},
	}
	r := standard(t)
	for _, tt := range tests {
		got, ok := r.Nearest(tt.key)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Nearest(%.40q) = %q, %v, want %q", tt.key, got, ok, tt.want)
		}
	}
}

func TestNearestPrefersTheFirstOfEqualOnes(t *testing.T) {
	r, err := New(live("methodb"), live("methoda"), live("methodc"))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if got, _ := r.Nearest("methodx"); got != "methoda" {
			t.Fatalf("got %q, want methoda", got)
		}
	}
}

func TestNearestOfAnEmptyRegistry(t *testing.T) {
	var r Registry
	if k, ok := r.Nearest("forkexec"); ok {
		t.Errorf("got %q", k)
	}
}
