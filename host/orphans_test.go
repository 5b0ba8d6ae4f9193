//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// orphansGrace is what children and orphans have to obey, which some do not.
const orphansGrace = 700 * time.Millisecond

// wayOut is how a child leaves something behind. Its script writes the pids of
// what it leaves to the file $0, a line each, and then that it is done to its
// standard output.
type wayOut struct {
	name, script string
	lines        int
	byGroup      bool // it stays in the group or session of the child
}

func waysOut() []wayOut {
	const stubborn = `sh -c 'trap "" TERM HUP; echo $$ >>"$0"; while :; do sleep 100; done' "$0" &`
	return []wayOut{
		{"background", `sleep 600 & echo $! >>"$0"`, 1, true},
		{"ignores SIGTERM", stubborn, 1, true},
		{"setsid", `setsid sh -c 'echo $$ >>"$0"; exec sleep 600' "$0" &`, 1, false},
		{"double fork", `(sh -c 'echo $$ >>"$0"; exec sleep 600' "$0" &)`, 1, true},
		{"tree", `sh -c 'sleep 600 & echo $! >>"$0"; sh -c "trap \"\" TERM; sleep 600 & echo \$! >>\"\$0\"; echo \$\$ >>\"\$0\"; wait" "$0" & wait' "$0" &`, 3, true},
	}
}

// groups are where a child can be.
var groups = map[string]func(*spawn.Spec){
	"host's group": func(*spawn.Spec) {},
	"own group":    func(s *spawn.Spec) { s.Group = spawn.NewGroup },
	"session":      func(s *spawn.Spec) { s.Session = true },
}

// leaver is the Spec of a child that leaves something behind and goes on by then.
func leaver(t testing.TB, w wayOut, then string, place func(*spawn.Spec)) (spec spawn.Spec, file string) {
	file = filepath.Join(t.TempDir(), "pids")
	spec = spawn.Spec{Path: "sh", Args: []string{"sh", "-c", w.script + "\n" + then, file}}
	place(&spec)
	return spec, file
}

// pidsIn waits for the pids in a file.
func pidsIn(t testing.TB, file string, n int) []int {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-tick.C {
		b, _ := os.ReadFile(file)
		if text := string(b); strings.Count(text, "\n") >= n {
			return numbers(t, strings.ReplaceAll(text, "\n", " "))
		}
	}
	t.Fatalf("%s has no %d pids", file, n)
	return nil
}

// untouched returns a function that fails the test when something that is none
// of the child's business was touched: a child of the same host in the host's
// group with a child and a daemon of its own, and a process of the embedding
// program.
func untouched(t testing.TB, h *host.Host) (check func()) {
	t.Helper()
	own := exec.Command("sleep", "600")
	must(t, own.Start())
	t.Cleanup(func() { own.Process.Kill(); own.Wait() })
	file := filepath.Join(t.TempDir(), "pids")
	spec := sh(fmt.Sprintf(`sleep 600 & echo $! >>%[1]s; (setsid sh -c 'echo $$ >>%[1]s; exec sleep 600' &); wait`, file))
	sibling := start(t, h, spec)
	pids := append(pidsIn(t, file, 2), sibling.Pid(), own.Process.Pid)
	return func() {
		t.Helper()
		for _, pid := range pids {
			if !alive(pid) {
				t.Errorf("process %d, a stranger to the child, was ended", pid)
			}
		}
	}
}

// TestStopEndsWhatObeyingLeaves: a child that obeys SIGTERM takes with it what
// was below it, wherever the child is and that went.
func TestStopEndsWhatObeyingLeaves(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: orphansGrace}})
	check := untouched(t, h)
	for place, in := range groups {
		for _, w := range waysOut() {
			t.Run(place+"/"+w.name, func(t *testing.T) {
				if w.name == "double fork" && place == "host's group" {
					t.Skip("an orphan in the host's group: whose it is nothing tells")
				}
				spec, file := leaver(t, w, "wait; exec sleep 600", in)
				p := start(t, h, spec)
				pids := pidsIn(t, file, w.lines)
				begin := time.Now()
				s, err := p.Stop(t.Context())
				if err != nil || s.Signal != syscall.SIGTERM || p.Forced() {
					t.Errorf("%v, %v, forced %v", s, err, p.Forced())
				}
				if d := time.Since(begin); d > 2500*time.Millisecond {
					t.Errorf("it took %v", d)
				}
				gone(t, 0, pids...)
			})
		}
	}
	check()
}

// TestNurseryEndsOrphans: what a child that ended by itself has left in a group
// of its own ends with the nursery, and is named.
func TestNurseryEndsOrphans(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: orphansGrace}})
	check := untouched(t, h)
	for place, in := range groups {
		for _, w := range waysOut() {
			if place == "host's group" || !w.byGroup {
				continue // nothing tells whose they are
			}
			t.Run(place+"/"+w.name, func(t *testing.T) {
				spec, file := leaver(t, w, "exit 0", in)
				var events []host.Event
				var pids []int
				err := h.Nursery(t.Context(), host.NurseryConfig{OnEvent: func(e host.Event) { events = append(events, e) }}, func(ctx context.Context, n *host.Nursery) error {
					c, err := n.Start(ctx, host.ChildConfig{Name: "daemon", Spec: spec})
					if err != nil {
						return err
					}
					pids = pidsIn(t, file, w.lines)
					if err := c.Wait(); err != nil {
						return err
					}
					for _, pid := range pids {
						if !alive(pid) {
							t.Errorf("%d has ended with the child, not with the nursery", pid)
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				gone(t, 0, pids...)
				wantNamed(t, events, pids)
			})
		}
	}
	check()
}

// wantNamed looks for the event that names the orphans.
func wantNamed(t testing.TB, events []host.Event, pids []int) {
	t.Helper()
	named := map[int]string{}
	for _, e := range events {
		if o, ok := e.(host.OrphansEnded); ok {
			if o.Child != "daemon" || len(o.Left) > 0 {
				t.Errorf("%+v", o)
			}
			for _, p := range o.Ended {
				named[p.Pid] = p.Name
			}
		}
	}
	for _, pid := range pids {
		if name := named[pid]; name != "sleep" && name != "sh" {
			t.Errorf("orphan %d is called %q; events %+v", pid, name, events)
		}
	}
}

// TestManyOrphansAtOnce: twenty children fail, each of whom leaves a stubborn
// daemon.
func TestManyOrphansAtOnce(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: orphansGrace}})
	check := untouched(t, h)
	var mu sync.Mutex
	var pids []int
	begin := time.Now()
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		for range 20 {
			spec, file := leaver(t, waysOut()[1], `while ! [ -s "$0" ]; do sleep 0.01; done; read x; exit 3`, groups["own group"])
			r, w, err := os.Pipe()
			must(t, err)
			spec.Files = []*os.File{r}
			_, err = n.Start(ctx, host.ChildConfig{Spec: spec})
			r.Close()
			must(t, err)
			found := pidsIn(t, file, 1)
			mu.Lock()
			pids = append(pids, found...)
			mu.Unlock()
			t.Cleanup(func() { w.Close() })
			if len(pids) == 20 {
				begin = time.Now()
				w.Close() // one fails, the others are stopped
			}
		}
		return nil
	})
	var exit *spawn.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 {
		t.Error(err)
	}
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
	gone(t, 0, pids...)
	check()
}

// TestOrphansThatRespawn: what ends is replaced, for some time and in bounds.
func TestOrphansThatRespawn(t *testing.T) {
	h := open(t, host.Config{})
	dir := t.TempDir()
	spec := sh(`bomb() { trap "" TERM; n=$1; while [ $n -gt 0 ]; do n=$((n-1)); (echo >>` + dir + `/count; sleep 0.02); sh -c 'trap "" TERM; sleep 600' & done; sleep 600; }
		bomb 60 & bomb 60 & bomb 60 &
		exit 0`)
	spec.Group = spawn.NewGroup
	p := start(t, h, spec)
	wait(t, p, 5*time.Second)
	pidsOf := func() int { b, _ := os.ReadFile(dir + "/count"); return len(b) }
	for end := time.Now().Add(5 * time.Second); pidsOf() < 10 && time.Now().Before(end); <-time.After(time.Millisecond) {
	}
	if err := syscall.Kill(-p.Pid(), 0); err != nil {
		t.Fatal("the bomb does not go off: ", err)
	}
	if _, err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(-p.Pid(), 0); err != syscall.ESRCH {
		t.Error("there is still something in the group: ", err)
	}
}

// TestStopWhileForking: the child makes children as fast as it can when it is
// told to end.
func TestStopWhileForking(t *testing.T) {
	h := open(t, host.Config{})
	mark := fmt.Sprintf("600.%d", os.Getpid())
	p := ready(t, h, `echo; n=0; while [ $n -lt 300 ]; do sleep `+mark+` & n=$((n+1)); done; wait`)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); len(linux.Children(p.Pid())) < 5 && time.Now().Before(end); {
		<-tick.C
	}
	if _, err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if left := running("sleep " + mark); left > 0 {
		t.Errorf("%d are left", left)
	}
}

// running counts the processes with this command line.
func running(cmdline string) (n int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if strings.TrimRight(strings.ReplaceAll(string(b), "\x00", " "), " ") == cmdline {
			n++
		}
	}
	return n
}

// TestOrphansMayLive: they do when that is wanted, until the host is closed.
func TestOrphansMayLive(t *testing.T) {
	for name, o := range map[string]host.StopOptions{"KeepOrphans": {KeepOrphans: true}, "StopProcess": {Scope: host.StopProcess}} {
		t.Run(name, func(t *testing.T) {
			h, err := host.Open(host.Config{})
			must(t, err)
			spec, file := leaver(t, waysOut()[0], "wait", groups["own group"])
			p := start(t, h, spec)
			p.SetStop(o)
			pids := pidsIn(t, file, 1)
			if _, err := p.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if !alive(pids[0]) {
				t.Error("it has ended with the child")
			}
			must(t, h.Close())
			gone(t, 0, pids...)
		})
	}
}

// TestStopGroup asks all of a group, and a child without one as usual.
func TestStopGroup(t *testing.T) {
	h := open(t, host.Config{})
	for place, in := range groups {
		t.Run(place, func(t *testing.T) {
			dir := t.TempDir()
			spec := sh(`cd ` + dir + `; sh -c 'trap "echo >heard; exit" TERM; echo $$ >>pids; while :; do sleep 0.01; done' & wait; wait`)
			in(&spec)
			p := start(t, h, spec)
			p.SetStop(host.StopOptions{Scope: host.StopGroup})
			pids := pidsIn(t, dir+"/pids", 1)
			if _, err := p.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			gone(t, 0, pids...)
			if _, err := os.Stat(dir + "/heard"); err != nil {
				t.Error("it was not asked: ", err)
			}
		})
	}
}

// TestPluginsDaemonEndsWithIt: what a plugin has started in a session of its own
// ends with a plugin that nobody needs any more, not only with the host.
func TestPluginsDaemonEndsWithIt(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Idle: 300 * time.Millisecond}})
	p, err := h.StartMethod(t.Context(), "fault_daemon", sh("exit 0"))
	must(t, err)
	pids := awaitFamily(t, 2)
	wait(t, p, 5*time.Second)
	pids = slices.DeleteFunc(pids, func(pid int) bool { return pid == p.Pid() })
	gone(t, 10*time.Second, pids...)
}

// TestRestartedChildMeetsNoOrphan: what a child that failed has left is ended
// before the child is started again.
func TestRestartedChildMeetsNoOrphan(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: orphansGrace}})
	dir := t.TempDir()
	spec := sh(`cd ` + dir + `
		if [ -s pids ]; then kill -0 $(cat pids) && echo >met; exit 0; fi
		sh -c 'trap "" TERM; echo $$ >pids; while :; do sleep 100; done' &
		while ! [ -s pids ]; do sleep 0.01; done
		exit 7`)
	spec.Group = spawn.NewGroup
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		_, err := n.Start(ctx, host.ChildConfig{Spec: spec, Restart: host.Restart{Max: 1, MinDelay: time.Millisecond}})
		return err
	})
	must(t, err)
	gone(t, 0, pidsIn(t, dir+"/pids", 1)...)
	if _, err := os.Stat(dir + "/met"); err == nil {
		t.Error("the second met what the first had left")
	}
}

// TestAskedToDrain: a child that ends because it was asked in its own way leaves
// nothing either.
func TestAskedToDrain(t *testing.T) {
	h := open(t, host.Config{})
	check := untouched(t, h)
	spec, file := leaver(t, waysOut()[2], `read x; exit 0`, groups["host's group"])
	r, w, err := os.Pipe()
	must(t, err)
	spec.Files = []*os.File{r}
	p := start(t, h, spec)
	r.Close()
	p.SetStop(host.StopOptions{Ask: host.AskClose(w), AskTime: 5 * time.Second})
	pids := pidsIn(t, file, 1)
	if s, err := p.Stop(t.Context()); err != nil || s.Code != 0 {
		t.Errorf("%v, %v", s, err)
	}
	gone(t, 0, pids...)
	check()
}
