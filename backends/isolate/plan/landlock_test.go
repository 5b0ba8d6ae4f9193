package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/landlock"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestLandlockOfAnOlderKernel: what it cannot do is said, in the user's terms.
func TestLandlockOfAnOlderKernel(t *testing.T) {
	for _, tt := range []struct {
		rule string
		abi  int
		want string // "" for what it can do
	}{
		{"ro:/usr", 0, "nothing can be restricted by Landlock before Linux 5.13"},
		{"ro:/usr", 2, "truncating files cannot be restricted before Linux 6.2"},
		{"ro:/usr", 3, ""},
		{"connect:1", 3, "TCP ports cannot be restricted: bind+connect before Linux 6.7"},
		{"connect:1", 4, ""},
		{"scope", 5, "before Linux 6.12"},
		{"scope", 6, ""},
	} {
		o, err := Parse(options(t, "landlock="+tt.rule))
		if err != nil {
			t.Fatal(err)
		}
		places, err := newPlaces(&o)
		if err != nil {
			t.Fatal(err)
		}
		l := &list{}
		err = l.fence(o.policy(places), tt.abi, false)
		if tt.want == "" {
			if err != nil || len(l.steps) < 2 {
				t.Errorf("%s, ABI %d: %v, %d steps", tt.rule, tt.abi, err, len(l.steps))
			}
			continue
		}
		if !errors.Is(err, spawn.ErrUnavailable) || !strings.Contains(err.Error(), tt.want) || len(l.steps) > 0 {
			t.Errorf("%s, ABI %d: %v, want %q", tt.rule, tt.abi, err, tt.want)
		}
		if err := l.fence(o.policy(places), tt.abi, true); err != nil || len(l.notes) != 1 || !strings.Contains(l.notes[0], tt.want) {
			t.Errorf("%s, ABI %d, as well as it can be: %v, notes %q, want %q", tt.rule, tt.abi, err, l.notes, tt.want)
		}
	}
}

// TestLandlockKnowsFiles: a file has no accesses of a folder, which the kernel
// would refuse.
func TestLandlockKnowsFiles(t *testing.T) {
	o, err := Parse(options(t, "landlock=rw:/etc/passwd", "landlock=rw:/etc"))
	if err != nil {
		t.Fatal(err)
	}
	places, err := newPlaces(&o)
	if err != nil {
		t.Fatal(err)
	}
	p, missing := o.policy(places).On(landlock.Newest)
	if len(missing) > 0 || len(p.Paths) != 4 || p.Paths[2].Access != landlock.Read&^landlock.ReadFolder|landlock.Write || p.Paths[3].Access != landlock.Read|landlock.Write|landlock.Make {
		t.Errorf("%v, %v", p.Paths, missing)
	}
}
