package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func newPlans() *plans { return &plans{byShape: map[string]*cachedPlan{}} }

// keptFor is what keeps the plans of a method, at a time.
type keptFor struct {
	*plans
	now time.Time
}

func (k keptFor) put(s spawn.Spec, b *spawn.Basis) *cachedPlan {
	c := newCachedPlan(&spawn.Plan{Basis: b, Steps: []spawn.Step{spawn.Handoff(spawn.Template{Kind: spawn.PoolTemplate})}})
	k.putKept(string(appendCommand(nil, &s)), c, &s, k.now)
	return c
}

func (k keptFor) get(s spawn.Spec) *cachedPlan {
	return k.getKept(string(appendCommand(nil, &s)), &s, os.Environ, k.now)
}

// A plan without a basis serves one command for a while, and no other.
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
	k := keptFor{newPlans(), time.Now()}
	c := k.put(spec, nil)
	later := keptFor{k.plans, k.now.Add(recentTime / 2)}
	if got := later.get(spec); got != c {
		t.Error("it is not used again for the same command")
	}
	if later.now = k.now.Add(recentTime); later.get(spec) != nil {
		t.Error("it is used for ever")
	}
	for name, s := range others {
		if k.get(s) != nil {
			t.Errorf("%s has the plan of the first", name)
		}
	}
	all := map[string]*cachedPlan{}
	for name, s := range others {
		all[name] = k.put(s, nil)
	}
	for name, s := range others {
		if k.get(s) != all[name] {
			t.Errorf("%s has not its own plan", name)
		}
	}
	k.drop()
	if k.get(spec) != nil {
		t.Error("it is used when its plugin has gone")
	}
}

// A plan with a basis serves the same command for as long as that holds.
func TestKeptPlans(t *testing.T) {
	dir := t.TempDir()
	file, link, absent := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "absent")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(path, text string) { t.Helper(); must(os.WriteFile(path, []byte(text), 0o700)) }
	t.Setenv("HATCHERY_TEST", "a")
	spec := spawn.Spec{Path: "/bin/p", Args: []string{"p", "a", "b"}, Env: []string{}} // of the host the variables are
	for name, change := range map[string]func(){
		"nothing":             nil,
		"written":             func() { write(file, "more") },
		"written, same size":  func() { write(file, "eno"); must(os.Chtimes(file, time.Time{}, time.Unix(1e9, 0))) },
		"only its mode":       func() { must(os.Chmod(file, 0o600)) },
		"replaced":            func() { write(absent+"2", "one"); must(os.Rename(absent+"2", file)) },
		"gone":                func() { must(os.Remove(file)) },
		"appeared":            func() { write(absent, "") },
		"the link retargeted": func() { must(os.Remove(link)); must(os.Symlink(dir, link)) },
		"a variable":          func() { t.Setenv("HATCHERY_TEST", "b") },
		"a variable gone":     func() { must(os.Unsetenv("HATCHERY_TEST")) },
		"a variable more":     func() { t.Setenv("HATCHERY_TEST_2", "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HATCHERY_TEST", "a")
			must(os.Unsetenv("HATCHERY_TEST_2"))
			os.Remove(absent)
			os.Remove(link)
			write(file, "one")
			must(os.Chtimes(file, time.Time{}, time.Unix(1e9, 0)))
			must(os.Symlink(file, link))
			var b spawn.Basis
			for _, path := range []string{file, absent, link} {
				b.Stat(path)
			}
			b.Getenv("HATCHERY_TEST")
			b.Getenv("HATCHERY_TEST_2")
			k := keptFor{newPlans(), time.Now().Add(time.Hour)} // nothing is young
			c := k.put(spec, &b)
			k.now = k.now.Add(24 * time.Hour)
			if k.get(spec) != c {
				t.Error("it does not hold at once")
			}
			if change == nil {
				return
			}
			tick(t, file)
			change()
			if k.get(spec) != nil {
				t.Error("it holds all the same")
			}
		})
	}
}

// tick waits until the file system's clock has gone on, by which a change would be
// told from the one before.
func tick(t *testing.T, file string) {
	probe := file + ".clock"
	for {
		if err := os.WriteFile(probe, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		old, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		now, err := os.Stat(probe)
		if err != nil {
			t.Fatal(err)
		}
		var a, b spawn.Basis
		a.Stat(file)
		b.Stat(probe)
		if changed, last := a.Files[0].Changed, b.Files[0].Changed; changed == 0 && now.ModTime().After(old.ModTime()) || last > changed {
			return
		}
	}
}

// What has changed just now may have changed once more without showing it.
func TestYoungFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var b spawn.Basis
	b.Stat(file)
	spec := spawn.Spec{Path: "/bin/p"}
	for _, tt := range []struct {
		age  time.Duration
		kept bool
	}{{0, false}, {-time.Hour, false}, {time.Minute, true}} {
		k := keptFor{newPlans(), time.Now().Add(tt.age)}
		k.put(spec, &b)
		if k.now = k.now.Add(recentTime - 1); k.get(spec) == nil {
			t.Errorf("a file of %v ago: not used for a second", tt.age)
		}
		if k.now = k.now.Add(1); (k.get(spec) != nil) != tt.kept {
			t.Errorf("a file of %v ago: used for longer is %v", tt.age, !tt.kept)
		}
	}
}

// A plan that says which arguments count serves what begins with these.
func TestKeptArguments(t *testing.T) {
	with := func(args string) spawn.Spec { return spawn.Spec{Path: "/p", Args: strings.Fields(args)} }
	k := keptFor{newPlans(), time.Now()}
	two := k.put(with("p s 1"), &spawn.Basis{Args: 2})
	all := k.put(with("p"), &spawn.Basis{})
	for args, want := range map[string]*cachedPlan{"p s 1": two, "p s": two, "p s 2 3": two, "p": all, "p t 1": nil, "": nil} {
		if got := k.get(with(args)); got != want {
			t.Errorf("%q has another plan than it should: %v", args, got)
		}
	}
	again := k.put(with("p s 4"), &spawn.Basis{Args: 2})
	if k.get(with("p s 1")) != again {
		t.Error("the older plan is used")
	}
	for i := range 3 * maxKept {
		k.put(with("p "+strings.Repeat("x", i)), &spawn.Basis{})
	}
	if total := len(k.kept); total != 1 || len(k.kept[string(appendCommand(nil, &spawn.Spec{Path: "/p"}))]) > maxAlike {
		t.Errorf("%d commands are remembered", total)
	}
	for i := range 3 * maxKept {
		k.put(spawn.Spec{Path: strings.Repeat("x", i+1)}, &spawn.Basis{})
	}
	if total := len(k.kept); total > maxKept {
		t.Errorf("%d commands are remembered", total)
	}
}

// The environment of a child that a Spec leaves open counts as well.
func TestKeptEnvironment(t *testing.T) {
	t.Setenv("HATCHERY_TEST", "a")
	var b spawn.Basis
	b.Getenv("HATCHERY_TEST")
	spec := spawn.Spec{Path: "/p"}
	k := keptFor{newPlans(), time.Now()}
	c := k.put(spec, &b)
	for value, want := range map[string]*cachedPlan{"a": c, "b": nil} {
		environ := func() []string { return []string{"X=y", "HATCHERY_TEST=" + value} }
		if got := k.getKept(string(appendCommand(nil, &spec)), &spec, environ, k.now); got != want {
			t.Errorf("with %s there is another plan than there should be: %v", value, got)
		}
	}
}
