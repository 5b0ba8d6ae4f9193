package registry

import (
	"math/rand/v2"
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

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "acb", 1}, {"abc", "bac", 1}, {"abc", "abcd", 1}, {"abc", "xbc", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"abcd", "badc", 2},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// One random edit is a distance of one, or of none when it changed nothing;
// and the order of the two does not matter.
func TestDistanceOfRandomEdits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const letters = "abc_"
	for range 2000 {
		a := make([]byte, 2+rng.IntN(10))
		for i := range a {
			a[i] = letters[rng.IntN(len(letters))]
		}
		b := append([]byte(nil), a...)
		switch i := rng.IntN(len(b) - 1); rng.IntN(4) {
		case 0:
			b = append(b[:i], b[i+1:]...)
		case 1:
			b[i] = 'z'
		case 2:
			b[i], b[i+1] = b[i+1], b[i]
		case 3:
			b = append(b, 'z')
		}
		want := 1
		if string(a) == string(b) {
			want = 0
		}
		ab, ba := distance(string(a), string(b)), distance(string(b), string(a))
		if ab != want || ba != want {
			t.Fatalf("distance(%q, %q) = %d and %d, want %d", a, b, ab, ba, want)
		}
	}
}
