package isolate_test

import (
	"context"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A roomy sandbox has the host's /tmp: what the kit makes lies there.
type roomy struct{ isolate.Backend }

func (r roomy) Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	with := *s
	with.Options = append([]spawn.Option{{Key: "bind", Value: "/tmp:/tmp:rw"}}, s.Options...)
	return r.Backend.Plan(ctx, &with)
}

func TestConformance(t *testing.T) {
	openHost(t)
	t.Chdir("/usr")
	s, o := backendtest.InProcess(roomy{}), backendtest.Options{Except: []string{
		"bytes-environment", // without one the child gets a small one, not the host's
		"inherited",         // rights, groups and cgroups are not the host's
		"groups",            // seen from inside, the host's group and session are none
		"terminal",          // the host's terminal has no name in the sandbox's /dev
	}}
	cases, err := s.Cases(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			switch r := s.Check(t.Context(), c, o); r.Outcome {
			case backendtest.Failed:
				t.Error(r)
			case backendtest.Skipped:
				t.Skip(r)
			}
		})
	}
}
