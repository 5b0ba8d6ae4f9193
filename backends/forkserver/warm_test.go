//go:build linux

package forkserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// child is argv[0] of the test's program where it is a child.
const child = "forkserver-child"

// childMain is the program of a child.
func childMain(args []string) int {
	switch args[0] {
	case "exit":
		code, _ := strconv.Atoi(args[1])
		return code
	case "cat":
		io.Copy(os.Stdout, os.Stdin)
		return 3
	case "numbers": // what is in each of its descriptors
		for n := range 64 {
			var st syscall.Stat_t
			if syscall.Fstat(n, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG && st.Size > 0 { // not those of the runtime
				fmt.Print(n, "=", st.Size, " ")
			}
		}
	case "front":
		front, _ := linux.Foreground(0)
		fmt.Println(os.Getpid(), syscall.Getpgrp(), front)
	case "say":
		fmt.Println(strings.Join(args[1:], " "))
	}
	return 0
}

func open(t testing.TB) *host.Host {
	t.Helper()
	h, err := host.Open(host.Config{Method: forkserver.Key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func self(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func spec(t testing.TB, args ...string) spawn.Spec {
	return spawn.Spec{Path: self(t), Args: append([]string{child}, args...), Env: []string{}}
}

// start starts a child that has to be warm.
func start(t testing.TB, h *host.Host, s spawn.Spec) *host.Process {
	t.Helper()
	p, err := h.StartMethod(t.Context(), forkserver.Key, s)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Warm() {
		t.Errorf("it was started cold: %q", p.Notes())
	}
	return p
}

func wait(t testing.TB, p *host.Process) spawn.ExitStatus {
	t.Helper()
	hung := time.AfterFunc(20*time.Second, func() { panic("a child does not end") })
	defer hung.Stop()
	s, err := p.Wait()
	var exit *spawn.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return s
}

// A program that parks is recognised, and served warm from the first child on.
func TestRecognised(t *testing.T) {
	h := open(t)
	for code := range 3 {
		if s := wait(t, start(t, h, spec(t, "exit", strconv.Itoa(code)))); s.Code != code {
			t.Errorf("exit %d: %v", code, s)
		}
	}
}

// The child's descriptors have their numbers, also where these are the ones that
// they came with, and no others are open.
func TestNumbers(t *testing.T) {
	h := open(t)
	for _, numbers := range [][]int{{3}, {5, 15, 16}, {16, 24, 25, 26, 27, 28, 29, 30}, {3, 24, 27, 40}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		s := spec(t, "numbers")
		s.Files = make([]*os.File, 1+slices.Max(numbers))
		s.Files[1] = w
		want := ""
		for n := range s.Files {
			if slices.Contains(numbers, n) {
				s.Files[n] = fileOf(t, 100+n)
				want += fmt.Sprint(n, "=", 100+n, " ")
			}
		}
		p := start(t, h, s)
		w.Close()
		got, err := io.ReadAll(r)
		if err != nil || string(got) != want {
			t.Errorf("%q, %v: want %q", got, err, want)
		}
		wait(t, p)
	}
}

// fileOf returns a file of that size.
func fileOf(t *testing.T, size int) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err == nil {
		err = f.Truncate(int64(size))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// A program that does not is started cold, and it is said why.
func TestCold(t *testing.T) {
	h := open(t)
	for name, tt := range map[string]struct {
		path string
		opts []spawn.Option
		want string
	}{
		"no program that parks": {"/bin/true", nil, "neither a program that calls actor.Park"},
		"found in $PATH":        {"true", nil, "neither a program that calls actor.Park"},
		"asked for":             {self(t), []spawn.Option{{Key: "kind", Value: "cold"}}, "kind=cold"},
	} {
		t.Run(name, func(t *testing.T) {
			s := spawn.Spec{Path: tt.path, Args: []string{child, "exit", "0"}, Options: tt.opts}
			p, err := h.StartMethod(t.Context(), forkserver.Key, s)
			if err != nil {
				t.Fatal(err)
			}
			if wait(t, p); p.Warm() || len(p.Notes()) != 1 || !strings.Contains(p.Notes()[0], "cold: ") || !strings.Contains(p.Notes()[0], tt.want) {
				t.Errorf("warm: %v, notes %q, want %q", p.Warm(), p.Notes(), tt.want)
			}
			s.Options = append(s.Options, spawn.Option{Key: "require", Value: "warm"})
			if _, err := h.StartMethod(t.Context(), forkserver.Key, s); !errors.Is(err, spawn.ErrUnavailable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("with require=warm: %v", err)
			}
		})
	}
}

// A program of which it is said that it parks, and that does not, is started cold,
// and it is said why.
func TestProgramThatDoesNotPark(t *testing.T) {
	h := open(t)
	for name, tt := range map[string]struct {
		path string
		args []string
		o    forkserver.Options
		want string
	}{
		"pool":           {"/bin/true", nil, forkserver.Options{Kind: "pool"}, "it ended before it was ready: exit status 0"},
		"fork":           {"/bin/true", nil, forkserver.Options{Kind: "fork"}, "it ended before it was ready: exit status 0"},
		"missing module": {"/usr/bin/python3", []string{"python3", "-c", ""}, forkserver.Options{Preload: []string{"no_such_module"}}, "No module named 'no_such_module'"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(tt.path); err != nil {
				t.Skip(err)
			}
			s := spawn.Spec{Path: tt.path, Args: tt.args, Options: tt.o.List()}
			for range 2 {
				p, err := h.StartMethod(t.Context(), forkserver.Key, s)
				if err != nil {
					t.Fatal(err)
				}
				if wait(t, p); p.Warm() || len(p.Notes()) != 1 || !strings.HasPrefix(p.Notes()[0], "cold: ") || !strings.Contains(p.Notes()[0], tt.want) {
					t.Errorf("warm: %v, notes %q, want %q", p.Warm(), p.Notes(), tt.want)
				}
			}
			tt.o.Require = true
			s.Options = tt.o.List()
			if _, err := h.StartMethod(t.Context(), forkserver.Key, s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("with require=warm: %v", err)
			}
		})
	}
}

// Children do not depend on what they came from: the plugin and every process
// that is ready are killed, and all exits come back right.
func TestChildrenSurvive(t *testing.T) {
	t.Run("pool", func(t *testing.T) {
		s := spec(t, "cat")
		s.Options = forkserver.Options{Kind: spawn.PoolTemplate, Min: 2}.List()
		childrenSurvive(t, s)
	})
	t.Run("fork", func(t *testing.T) {
		s := spawn.Spec{Path: warmPython(t), Args: []string{"python3", "-c", "import sys; sys.stdin.read(); sys.exit(3)"}, Env: []string{}}
		s.Options = forkserver.Options{Preload: []string{"json"}, Min: 2}.List()
		childrenSurvive(t, s)
	})
}

// childrenSurvive starts children by s, which read and exit with 3, and kills what
// they came from, and the plugin.
func childrenSurvive(t *testing.T, s spawn.Spec) {
	h := open(t)
	const n = 50
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s.Files = []*os.File{r}
	var all []*host.Process
	pids := map[int]bool{}
	for range n {
		p := start(t, h, s)
		all = append(all, p)
		pids[p.Pid()] = true
	}
	if err := h.Warm(t.Context(), forkserver.Key, s, 2); err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, pid := range below(t, h) {
		if !pids[pid] {
			syscall.Kill(pid, syscall.SIGKILL)
			killed++
		}
	}
	if killed < 2 {
		t.Errorf("%d processes were killed: want the plugin and one that was ready at least", killed)
	}
	w.Close()
	for _, p := range all {
		if s := wait(t, p); s.Code != 3 {
			t.Errorf("%v", s)
		}
	}
	s.Files = nil // /dev/null, which ends at once
	if s := wait(t, start(t, h, s)); s.Code != 3 {
		t.Errorf("the next one: %v", s)
	}
}

// below returns the children of the keeper of a host.
func below(t *testing.T, h *host.Host) (pids []int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range tasks {
		text, _ := os.ReadFile(list)
		for _, keeper := range strings.Fields(string(text)) {
			lists, _ := filepath.Glob("/proc/" + keeper + "/task/*/children")
			for _, list := range lists {
				text, _ := os.ReadFile(list)
				for _, f := range strings.Fields(string(text)) {
					pid, _ := strconv.Atoi(f)
					pids = append(pids, pid)
				}
			}
		}
	}
	return pids
}

// Processes that were made ready ahead are there, are seen, and are what children
// come from.
func TestWarm(t *testing.T) {
	h := open(t)
	s := spec(t, "exit", "0")
	if err := h.Warm(t.Context(), forkserver.Key, s, 3); err != nil {
		t.Fatal(err)
	}
	list, err := h.Templates(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if got := list[0]; got.Ready != 3 || got.Served != 0 || got.Kind != spawn.PoolTemplate || got.Path != s.Path || got.Memory < 3<<17 {
		t.Errorf("%+v", got)
	}
	for range 3 {
		wait(t, start(t, h, s))
	}
	if list, err := h.Templates(t.Context()); err != nil || len(list) != 1 || list[0].Served != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := h.Warm(t.Context(), forkserver.Key, s, 3); err != nil {
		t.Error(err)
	}
	if err := h.Warm(t.Context(), forkserver.Key, spawn.Spec{Path: "/bin/true"}, 1); !errors.Is(err, spawn.ErrUnavailable) || !strings.Contains(err.Error(), "actor.Park") {
		t.Errorf("a program that does not park: %v", err)
	}
	if err := h.Warm(t.Context(), forkserver.Key, spawn.Spec{Path: "/bin/true", Options: forkserver.Options{Kind: "pool"}.List()}, 1); err == nil || !strings.Contains(err.Error(), "before it was ready") {
		t.Errorf("a program that only says that it does: %v", err)
	}
}

// The memory of those that are ready is bounded.
func TestMemory(t *testing.T) {
	h := open(t)
	s := spec(t, "exit", "0")
	s.Options = forkserver.Options{Kind: spawn.PoolTemplate, Max: 8, Memory: 1}.List()
	for range 5 {
		wait(t, start(t, h, s))
	}
	if list, err := h.Templates(t.Context()); err != nil || len(list) != 1 || list[0].Ready+list[0].Booting > 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// What package host offers for children works for these: pipes, and stopping.
func TestCommand(t *testing.T) {
	h := open(t)
	c := h.CommandContext(t.Context(), self(t), "say", "a", "b")
	c.Args[0] = child
	c.Method = forkserver.Key
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Run(); err != nil || out.String() != "a b\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestPlans(t *testing.T) {
	b := forkserver.New()
	for name, tt := range map[string]struct {
		opts  forkserver.Options
		path  string
		want  string
		reuse bool
	}{
		"kind":       {forkserver.Options{Kind: "pool"}, "./x", `handoff("pool", "", "GODEBUG`, true},
		"arguments":  {forkserver.Options{Kind: "fork", Args: []string{"a"}}, "./x", `handoff("fork", "./x\x00a", "GODEBUG`, false},
		"recognised": {forkserver.Options{Max: 9}, self(t), `handoff("pool", "", "GODEBUG`, false},
		"cold":       {forkserver.Options{}, "/bin/true", "clone(0)", false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := b.Plan(t.Context(), &spawn.Spec{Path: tt.path, Options: tt.opts.List()})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Steps[0].String(); !strings.HasPrefix(got, tt.want) || p.Reusable != tt.reuse {
				t.Errorf("%s, reusable %v: want %s", got, p.Reusable, tt.want)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	want := forkserver.Options{Kind: "fork", Args: []string{"a", "b"}, Env: []string{"A", "B*", "C=d"}, Min: 2, Max: 3, Idle: time.Minute, Memory: 64 << 20, Require: true}
	got, err := forkserver.Parse(want.List())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v: want %+v", got, err, want)
	}
	for _, bad := range []string{"kind=thread", "kind=", "preload=", "preload=a,,b", "env=", "env==x", "min=-1", "max=x", "max=1001", "idle=0s", "idle=1", "memory=0", "memory=9999999999G", "require=cold", "other=1"} {
		o, err := spawn.ParseOption(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := forkserver.Parse([]spawn.Option{o}); !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(err.Error(), o.Key) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, o := range []forkserver.Options{{Min: 3, Max: 2}, {Args: []string{"a"}}, {Kind: "pool", Preload: []string{"a"}}} {
		if _, err := forkserver.Parse(o.List()); !errors.Is(err, spawn.ErrBadOption) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := forkserver.New().Plan(t.Context(), &spawn.Spec{Path: "/bin/true", Options: []spawn.Option{{Key: "preload", Value: "a"}}}); !errors.Is(err, spawn.ErrBadOption) {
		t.Errorf("preload for a program that is not known: %v", err)
	}
}
