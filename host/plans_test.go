package host

import (
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A plan for one command serves that command for a while, and no other.
func TestRecentPlans(t *testing.T) {
	spec := spawn.Spec{Path: "/bin/p", Args: []string{"p", "a", "b"}, Env: []string{"A=1"}}
	others := map[string]spawn.Spec{
		"another program":             {Path: "/bin/q", Args: spec.Args, Env: spec.Env},
		"an argument more":            {Path: spec.Path, Args: []string{"p", "a", "b", ""}, Env: spec.Env},
		"the arguments cut elsewhere": {Path: spec.Path, Args: []string{"p", "ab", ""}, Env: spec.Env},
		"another environment":         {Path: spec.Path, Args: spec.Args, Env: []string{"A=2"}},
		"an empty environment":        {Path: spec.Path, Args: spec.Args, Env: []string{}},
		"no environment":              {Path: spec.Path, Args: spec.Args},
		"another directory":           {Path: spec.Path, Args: spec.Args, Env: spec.Env, Dir: "/"},
	}
	p := plans{byShape: map[string]*cachedPlan{}}
	c := newCachedPlan(&spawn.Plan{Steps: []spawn.Step{spawn.Handoff(spawn.Template{Kind: spawn.PoolTemplate})}})
	key := func(s spawn.Spec) string { return string(appendCommand([]byte("shape"), &s)) }
	now := time.Now()
	p.putRecent(key(spec), c, now)
	if got := p.getRecent(key(spec), now.Add(recentTime/2)); got != c {
		t.Error("it is not used again for the same command")
	}
	if got := p.getRecent(key(spec), now.Add(recentTime)); got != nil {
		t.Error("it is used for ever")
	}
	seen := map[string]string{key(spec): "the first"}
	for name, s := range others {
		k := key(s)
		if seen[k] != "" || p.getRecent(k, now) != nil {
			t.Errorf("%s has the plan of %s", name, seen[k])
		}
		seen[k] = name
	}
	p.drop()
	if p.getRecent(key(spec), now) != nil {
		t.Error("it is used when its plugin has gone")
	}
}
