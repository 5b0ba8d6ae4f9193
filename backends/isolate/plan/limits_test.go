package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/cgroup"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// limited returns the steps of limits on a machine, as text, and its notes.
func limited(t *testing.T, o Options, u *identity, mounts, groups string, files map[string]string, denied error) (steps, notes []string, l *list, err error) {
	t.Helper()
	read := func(path string) (string, error) {
		if s, ok := files[path]; ok {
			return s, nil
		}
		return "", fs.ErrNotExist
	}
	m := cgroup.Parse(mounts, groups, read, func(string) error { return denied })
	l = &list{}
	l.add(spawn.Clone(cloneNewPID | cloneNewCgroup))
	err = l.limits(&o, u, func() *cgroup.Machine { return m })
	for _, s := range l.steps {
		if s.Op != spawn.OpClose {
			steps = append(steps, s.String())
		}
	}
	return steps, l.notes, l, err
}

// all are all limits, but that of time.
func all() Options {
	return Options{Memory: 1 << 26, Pids: 10, CPUs: 1.5, CPUTime: 2 * time.Second}
}

const unified = "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"

// TestLimitsUnified: in version 2 all limits are in one group, of those that hand
// down every controller, and the child is cloned into it.
func TestLimitsUnified(t *testing.T) {
	files := map[string]string{
		"/sys/fs/cgroup/cgroup.controllers":       "cpu memory pids",
		"/sys/fs/cgroup/a/cgroup.subtree_control": "cpu memory pids", "/sys/fs/cgroup/a/memory.swap.max": "max",
		"/sys/fs/cgroup/a/b/cgroup.subtree_control": "memory pids",
	}
	steps, notes, _, err := limited(t, all(), &identity{}, unified, "0::/a/b/c\n", files, nil)
	if err != nil {
		t.Fatal(err)
	}
	rate := processors() * 1e6
	want := []string{
		fmt.Sprintf("clone(%d, {result 1})", cloneNewPID), `folder("/sys/fs/cgroup/a")`,
		`openat2({result 1}, "memory.max", 1, 0, 0)`, `write({result 2}, "67108864")`,
		`openat2({result 1}, "memory.swap.max", 1, 0, 0)`, `write({result 5}, "0")`,
		`watch(1, {result 1}, "memory.events", "oom_kill", 1, 0)`,
		`openat2({result 1}, "pids.max", 1, 0, 0)`, `write({result 9}, "11")`,
		`watch(2, {result 1}, "pids.events", "max", 1, 0)`,
		`openat2({result 1}, "cpu.max", 1, 0, 0)`, `write({result 13}, "150000 100000")`,
		fmt.Sprintf(`watch(8, {result 1}, "cpu.stat", "usage_usec", 2000000, %d)`, rate),
		fmt.Sprintf("unshare(%d)", cloneNewCgroup),
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Error(diff)
	}
	if len(notes) != 4 || notes[2] != "cpus: a control group of version 2 in /sys/fs/cgroup/a" {
		t.Errorf("notes %q", notes)
	}
}

// TestLimitsOne: in version 1 the child comes into each of its groups by itself.
func TestLimitsOne(t *testing.T) {
	const mounts = "32 31 0:29 / /c/cpu rw - cgroup cgroup rw,cpu,cpuacct\n33 31 0:30 / /c/pids rw - cgroup cgroup rw,pids\n"
	o := all()
	o.Memory = 0
	steps, _, _, err := limited(t, o, &identity{}, mounts, "1:cpu,cpuacct:/\n2:pids:/x\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(steps, "\n")
	for _, want := range []string{
		fmt.Sprintf("clone(%d)", cloneNewPID), `folder("/c/pids/x")`, `folder("/c/cpu")`, `"cpu.cfs_quota_us"`,
		fmt.Sprintf(`"cpuacct.usage", "", 2000000000, %d`, processors()*1e9), fmt.Sprintf("unshare(%d)", cloneNewCgroup),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "folder("); n != 2 {
		t.Errorf("%d folders:\n%s", n, text)
	}
	if n := strings.Count(text, `"cgroup.procs"`); n != 2 {
		t.Errorf("%d joins:\n%s", n, text)
	}
}

// TestLimitsWithout: where no group can be made there are resource limits, and what
// they cannot do is an error unless it may be missing.
func TestLimitsWithout(t *testing.T) {
	denied := errors.New("permission denied")
	user, root := &identity{uid: 1000, ownNamespace: true}, &identity{ownNamespace: true}
	for _, tt := range []struct {
		change func(o *Options)
		u      *identity
		lacks  string // the limit that the error names
		limits []spawn.Limit
		notes  int
	}{
		{func(o *Options) {}, user, "cpus", nil, 0},
		{func(o *Options) { o.CPUs = 0 }, root, "pids", nil, 0},
		{func(o *Options) { o.CPUs = 0 }, &identity{uid: 1000}, "pids", nil, 0},
		{func(o *Options) { o.CPUs = 0; o.CPUTime = 1500 * time.Millisecond }, user, "",
			[]spawn.Limit{limit(rlimitNproc, 11), limit(rlimitData, 1<<26), {Resource: rlimitCPU, Soft: 2, Hard: 3}}, 3},
		{func(o *Options) { o.BestEffort = []Layer{LayerCgroup} }, root, "",
			[]spawn.Limit{limit(rlimitData, 1<<26), {Resource: rlimitCPU, Soft: 2, Hard: 3}}, 4},
		{func(o *Options) { o.BestEffort = []Layer{LayerLandlock} }, user, "cpus", nil, 0},
	} {
		o := all()
		tt.change(&o)
		steps, notes, l, err := limited(t, o, tt.u, unified, "0::/\n", nil, denied)
		if tt.lacks != "" {
			if e := spawn.AsError(err); !errors.Is(err, spawn.ErrUnavailable) || e.Op != tt.lacks || !strings.Contains(e.Msg, "best_effort=cgroup") {
				t.Errorf("%+v: %v", o, err)
			}
			continue
		}
		if err != nil || len(notes) != tt.notes || len(steps) != 1 || !strings.Contains(steps[0], fmt.Sprint(cloneNewPID|cloneNewCgroup)) {
			t.Errorf("%+v: %v, %q, %q", o, err, notes, steps)
		}
		if diff := cmp.Diff(tt.limits, append(l.early, l.late...)); diff != "" {
			t.Errorf("%+v: %s", o, diff)
		}
	}
}

func TestParseLimits(t *testing.T) {
	got, err := Parse(options(t, "memory=64m", "cpus=1.5", "pids=20", "wall=1m30s", "cpu_time=500ms"))
	want := Options{Memory: 64 << 20, CPUs: 1.5, Pids: 20, Wall: 90 * time.Second, CPUTime: 500 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if again, err := Parse(got.List()); cmp.Diff(got, again) != "" || err != nil {
		t.Errorf("there and back: %+v, %v", again, err)
	}
	for _, bad := range []string{
		"memory=", "memory=0", "memory=1k", "memory=-1m", "memory=64mb", "memory=m", "memory=9999999999g", "memory=10%",
		"cpus=0", "cpus=0.001", "cpus=NaN", "cpus=Inf", "cpus=two", "pids=0", "pids=-1", "pids=1.5", "pids=9999999",
		"wall=10", "wall=0s", "wall=-1s", "wall=1us", "cpu_time=x", "cpu_time=0",
	} {
		if _, err := Parse(options(t, bad)); !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(err.Error(), "want ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := Parse(options(t, "cputime=1s")); err == nil || !strings.Contains(err.Error(), `did you mean "cpu_time"?`) {
		t.Error(err)
	}
}
