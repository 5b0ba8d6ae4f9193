//go:build linux

package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/detached"
	record "github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestDetachedKeeperKilled: the child ends with its keeper, and its status is lost
// for who waits and for who comes later.
func TestDetachedKeeperKilled(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{})
	d, keeper, dir := startDetached(t, h, sh("exec sleep 1000"), host.DetachOptions{})
	must(t, syscall.Kill(keeper, syscall.SIGKILL))
	for _, x := range []*host.Detached{d, nil} {
		if x == nil {
			x = adopt(t, h, d.Ref())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		s, err := x.Wait(ctx)
		cancel()
		if !errors.Is(err, spawn.ErrLost) || s.Source != spawn.Lost || s.Code != -1 || !strings.Contains(s.Reason, "was killed") {
			t.Errorf("%+v, %v", s, err)
		}
	}
	gone(t, 2*time.Second, d.Pid())
	if _, err := d.Stop(t.Context()); !errors.Is(err, spawn.ErrLost) {
		t.Errorf("Stop: %v", err)
	}
	collected(t, d, keeper, dir)
}

// TestDetachedLostIsNotForgotten as long as there is something that only its record
// leads to.
func TestDetachedLostIsNotForgotten(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{})
	spec, said := sayingPids(t, `(setsid sh -c 'echo $$; exec sleep 1000' &); exec sleep 1000`, 1)
	d, keeper, dir := startDetached(t, h, spec, host.DetachOptions{})
	daemon := said()[0]
	recorded := func() bool {
		r, err := record.ReadRecord(record.RecordPath(dir, keeper))
		return err == nil && slices.ContainsFunc(r.Entries, func(e record.Entry) bool { return e.Pid == daemon })
	}
	eventually(t, recorded)
	must(t, syscall.Kill(keeper, syscall.SIGKILL))
	gone(t, 2*time.Second, keeper, d.Pid())
	if err := d.Forget(t.Context()); !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), strconv.Itoa(daemon)+" (sleep)") {
		t.Errorf("Forget while the daemon runs: %v", err)
	}
	must(t, syscall.Kill(daemon, syscall.SIGKILL))
	gone(t, 2*time.Second, daemon)
	collected(t, d, keeper, dir)
}

// TestDetachedKeeperStopped: every call is bounded, and no status is invented. What
// could not be asked is not done later.
func TestDetachedKeeperStopped(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{Timeouts: host.Timeouts{Call: 200 * time.Millisecond, Grace: 200 * time.Millisecond, Close: 200 * time.Millisecond}})
	d, keeper, dir := startDetached(t, h, sh("trap 'exit 6' USR1; while :; do sleep 0.01; done"), host.DetachOptions{})
	stop(t, keeper)
	begin := time.Now()
	if _, err := h.Adopt(t.Context(), d.Ref()); !errors.Is(err, spawn.ErrTimeout) || !strings.Contains(err.Error(), fmt.Sprintf("process %d, is stopped and does not answer: kill -CONT %[1]d", keeper)) {
		t.Errorf("Adopt: %v", err)
	}
	if err := d.Signal(syscall.SIGUSR2); !errors.Is(err, spawn.ErrTimeout) {
		t.Errorf("Signal: %v", err)
	}
	if _, err := d.Stop(t.Context()); !errors.Is(err, spawn.ErrTimeout) {
		t.Errorf("Stop: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if s, err := d.Wait(short); !errors.Is(err, spawn.ErrTimeout) {
		t.Errorf("Wait: %v, %v", s, err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("all that took %v", took)
	}
	if err := d.Forget(t.Context()); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("Forget: %v", err)
	}
	must(t, syscall.Kill(keeper, syscall.SIGCONT))
	must(t, d.Signal(syscall.SIGUSR1))
	if s := waitDetached(t, d); s.Code != 6 {
		t.Errorf("%+v", s)
	}
	collected(t, d, keeper, dir)
}

// forge changes what stands in the folder of a detached child, and returns the
// reference to that.
func forge(t *testing.T, dir string, change func(*detached.Record)) string {
	t.Helper()
	r, err := detached.Read(dir)
	must(t, err)
	change(&r)
	must(t, r.Write())
	return r.Ref()
}

// TestDetachedStrangers: where the numbers in the folder mean somebody else, he is
// never signalled, and the child is lost or cannot be adopted.
func TestDetachedStrangers(t *testing.T) {
	privatePlaces(t)
	h := open(t, host.Config{Timeouts: host.Timeouts{Call: time.Second}})
	stranger := start(t, h, sh(`trap "" TERM; exec sleep 1000`))
	who, _ := runfolder.ProcessOf(stranger.Pid())
	for name, c := range map[string]struct {
		change func(*detached.Record)
		says   string // in the reason of a lost status; or else in Adopt's error
		is     error  // of Adopt
	}{
		"another boot": {func(r *detached.Record) { r.Boot = "8e8c3ae3-0000-0000-0000-000000000000" }, "started anew", nil},
		"the keeper's number is another's": {func(r *detached.Record) {
			r.Keeper = runfolder.Process{Pid: who.Pid, Start: who.Start + 1}
			r.Child = who
		}, "was killed", nil},
		"another process is the keeper": {func(r *detached.Record) { r.Keeper, r.Child = who, who }, "listens there, not the keeper", errAny},
		"another namespace":             {func(r *detached.Record) { r.Space = "pid:[1]" }, "another namespace", spawn.ErrUnavailable},
		"another nonce":                 {func(r *detached.Record) { r.Nonce = strings.Repeat("0", 32) }, "another child", spawn.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			d, keeper, dir := startDetached(t, h, sh("exec sleep 1000"), host.DetachOptions{})
			ref := forge(t, dir, c.change)
			if _, err := h.Adopt(t.Context(), d.Ref()); !errors.Is(err, spawn.ErrUntrusted) && d.Ref() != ref {
				t.Errorf("the folder is not what the reference means, and Adopt says %v", err)
			}
			a, err := h.Adopt(t.Context(), ref)
			if c.is != nil {
				if err == nil || c.is != errAny && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("Adopt: %v", err)
				}
			} else {
				must(t, err)
				if s, err := a.Wait(t.Context()); !errors.Is(err, spawn.ErrLost) || !strings.Contains(s.Reason, c.says) {
					t.Errorf("%+v, %v", s, err)
				}
				a.Kill()
				a.Stop(t.Context())
				a.Forget(t.Context())
			}
			if !alive(stranger.Pid()) || !alive(d.Pid()) {
				t.Error("it has signalled somebody")
			}
			syscall.Kill(keeper, syscall.SIGKILL)
			gone(t, 10*time.Second, d.Pid())
			os.RemoveAll(dir)
		})
	}
	stranger.Kill()
}

var errAny = errors.New("any error")

// TestDetachedBadFolders: a folder that others could have made is not trusted, and
// what is no note of an exit is not taken for one.
func TestDetachedBadFolders(t *testing.T) {
	base := privatePlaces(t)
	h := open(t, host.Config{})
	d, keeper, dir := startDetached(t, h, sh("exit 7"), host.DetachOptions{})
	gone(t, 10*time.Second, keeper)
	must(t, os.Chmod(dir, 0o750))
	if _, err := h.Adopt(t.Context(), d.Ref()); !errors.Is(err, spawn.ErrUntrusted) {
		t.Errorf("a folder that is open to others: %v", err)
	}
	must(t, os.Chmod(dir, 0o700))
	real := filepath.Join(base, "real")
	must(t, os.Rename(dir, real))
	must(t, os.Symlink(real, dir))
	if _, err := h.Adopt(t.Context(), d.Ref()); !errors.Is(err, spawn.ErrUntrusted) {
		t.Errorf("a link: %v", err)
	}
	must(t, os.Remove(dir))
	must(t, os.Rename(real, dir))
	exit := filepath.Join(dir, "exit")
	good, err := os.ReadFile(exit)
	must(t, err)
	nonce := strings.Fields(string(good))[3]
	for name, bad := range map[string]string{
		"empty": "", "short": string(good[:100]), "long": string(good) + "x", "blank": strings.Repeat(" ", len(good)),
		"another child's": strings.Replace(string(good), nonce, strings.Repeat("0", 32), 1),
		"no number":       string(good[:60]) + "z" + string(good[61:]),
	} {
		must(t, os.WriteFile(exit, []byte(bad), 0o600))
		s, err := adopt(t, h, d.Ref()).Wait(t.Context())
		if !errors.Is(err, spawn.ErrLost) || !strings.Contains(s.Reason, "cannot be read") {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	must(t, os.Remove(exit))
	must(t, syscall.Mkfifo(exit, 0o600))
	if s, err := adopt(t, h, d.Ref()).Wait(t.Context()); !errors.Is(err, spawn.ErrLost) {
		t.Errorf("a FIFO: %+v, %v", s, err)
	}
	must(t, os.Remove(exit))
	must(t, os.WriteFile(filepath.Join(dir, "detached.json"), []byte("{"), 0o600))
	if _, err := h.Adopt(t.Context(), d.Ref()); !errors.Is(err, spawn.ErrUntrusted) {
		t.Errorf("a record that is none: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "detached.json"), []byte(`{"version":2}`), 0o600))
	if _, err := h.Adopt(t.Context(), d.Ref()); !errors.Is(err, spawn.ErrVersion) {
		t.Errorf("a record of another version: %v", err)
	}
}

// TestHostKilledWhileDetaching: whenever the host is killed, there is a child that
// can be adopted, or nothing.
func TestHostKilledWhileDetaching(t *testing.T) {
	base := privatePlaces(t)
	h := open(t, host.Config{})
	adopted := 0
	const rounds = 16
	for i := range rounds {
		cmd := detachCommand(t, "exec sleep 1000")
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		if i < rounds-1 {
			// The pause is what is tried out, not waited for.
			<-time.After(time.Duration(i) * 4 * time.Millisecond)
		} else if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Error("the last one was to have been detached: ", err)
		}
		cmd.Process.Kill()
		cmd.Wait()
		end := time.Now().Add(10 * time.Second)
		for _, dir := range settledFolders(t, base, end) {
			r, err := detached.Read(dir)
			must(t, err)
			d := adopt(t, h, r.Ref())
			if _, err := d.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			collected(t, d, r.Keeper.Pid, dir)
			adopted++
		}
	}
	t.Logf("%d were adopted in %d rounds", adopted, rounds)
	if adopted == 0 {
		t.Error("none was detached")
	}
}

// settledFolders returns the folders of detached children once no keeper of a
// killed host is at work. One that is about to end everything looks for a moment
// like one that is not.
func settledFolders(t *testing.T, base string, end time.Time) []string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var last []string
	for same := 0; ; <-tick.C {
		dirs, _ := filepath.Glob(base + "/hatchery/detached-*")
		busy := keepersOf(base, dirs)
		same++
		if busy != "" || !slices.Equal(dirs, last) {
			same = 0
		}
		if last = dirs; same == 8 {
			return dirs
		}
		if time.Now().After(end) {
			t.Fatalf("still at work: %s", busy)
		}
	}
}

// keepersOf says which keepers are there that do not have a child for adoption, and which
// folders have none.
func keepersOf(base string, dirs []string) (busy string) {
	committed := map[int]bool{}
	for _, dir := range dirs {
		r, err := detached.Read(dir)
		if err != nil || !r.Keeper.Alive() || !alive(r.Child.Pid) {
			entries, _ := os.ReadDir(dir)
			return fmt.Sprint(dir, " ", err, " ", entries)
		}
		committed[r.Keeper.Pid] = true
	}
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range procs {
		b, _ := os.ReadFile(path)
		args := strings.Split(string(b), "\x00")
		pid := numbersIn(path)
		if len(args) > 2 && args[0] == "hatchery-keeper" && strings.HasPrefix(args[1], base+"/hatchery/detached-") && alive(pid) && !committed[pid] {
			return string(b)
		}
	}
	return ""
}

func numbersIn(path string) (pid int) {
	fmt.Sscanf(path, "/proc/%d/", &pid)
	return pid
}
