package registry

import (
	"errors"
	"slices"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestResolve(t *testing.T) {
	tests := []struct {
		name     string
		sel      Selection
		key      SpawnMethodKey
		source   string
		warnings []string
	}{
		{"nobody says anything", Selection{}, "forkexec", "default", nil},
		{"another default", Selection{Default: "isolate"}, "isolate", "default", nil},
		{"config", Selection{Config: "isolate"}, "isolate", "config spawn-backend", nil},
		{"environment", Selection{Env: "isolate"}, "isolate", "$HATCHERY_SPAWN_BACKEND", nil},
		{"flag", Selection{Flag: "go_fork"}, "go_fork", "--spawn-backend", nil},
		{"flag over environment", Selection{Flag: "forkexec", Env: "isolate"}, "forkexec", "--spawn-backend",
			[]string{"--spawn-backend=forkexec overrides $HATCHERY_SPAWN_BACKEND=isolate"}},
		{"environment over config", Selection{Env: "isolate", Config: "forkserver"}, "isolate", "$HATCHERY_SPAWN_BACKEND",
			[]string{"$HATCHERY_SPAWN_BACKEND=isolate overrides config spawn-backend=forkserver"}},
		{"all three", Selection{Flag: "forkexec", Env: "isolate", Config: "forkserver"}, "forkexec", "--spawn-backend",
			[]string{
				"--spawn-backend=forkexec overrides $HATCHERY_SPAWN_BACKEND=isolate",
				"--spawn-backend=forkexec overrides config spawn-backend=forkserver",
			}},
		{"agreement is silent", Selection{Flag: "isolate", Env: "isolate", Config: "isolate"}, "isolate", "--spawn-backend", nil},
		{"one agrees", Selection{Flag: "isolate", Env: "isolate", Config: "forkexec"}, "isolate", "--spawn-backend",
			[]string{"--spawn-backend=isolate overrides config spawn-backend=forkexec"}},
		{"the default is never worth a warning", Selection{Flag: "isolate", Default: "forkexec"}, "isolate", "--spawn-backend", nil},
		{"an overruled value is not looked up", Selection{Flag: "isolate", Env: "no such\n"}, "isolate", "--spawn-backend",
			[]string{`--spawn-backend=isolate overrides $HATCHERY_SPAWN_BACKEND="no such\n"`}},
	}
	r := standard(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tt.sel.Resolve(r)
			if err != nil {
				t.Fatal(err)
			}
			if c.Entry.Key != tt.key || c.Source != tt.source {
				t.Errorf("got %s from %s, want %s from %s", c.Entry.Key, c.Source, tt.key, tt.source)
			}
			if !slices.Equal(c.Warnings, tt.warnings) {
				t.Errorf("warnings\n %q\nwant\n %q", c.Warnings, tt.warnings)
			}
		})
	}
}

func TestResolveNamesTheSourceOfAnUnknownKey(t *testing.T) {
	const valid = "valid keys are forkexec, forkserver, go_fork, goroutine, isolate"
	tests := []struct {
		sel  Selection
		want string
	}{
		{Selection{Flag: "nothing", Env: "isolate"}, "nothing: select: --spawn-backend: unknown spawn method: " + valid},
		{Selection{Env: "Isolate", Config: "isolate"}, "Isolate: select: $HATCHERY_SPAWN_BACKEND: unknown spawn method: did you mean isolate? " + valid},
		{Selection{Config: "nothing"}, "nothing: select: config spawn-backend: unknown spawn method: " + valid},
		{Selection{Default: "nothing"}, "nothing: select: default: unknown spawn method: " + valid},
	}
	for _, tt := range tests {
		c, err := tt.sel.Resolve(standard(t))
		if !errors.Is(err, spawn.ErrUnknownMethod) || err.Error() != tt.want {
			t.Errorf("%+v: got\n %v\nwant\n %s", tt.sel, err, tt.want)
		}
		if c.Entry.Key != "" {
			t.Errorf("%+v: an error and the choice %q", tt.sel, c.Entry.Key)
		}
	}
}
