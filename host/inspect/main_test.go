//go:build linux

package inspect

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/hunt"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	run := func() int { return leakcheck.Main(m) }
	os.Exit(helperproc.Main(run, map[string]helperproc.Func{"host": hostHelper}))
}

// hostHelper is a host with a child, which runs a script. It goes on once its
// keeper has noted as many descendants as asked for, which it prints.
func hostHelper(args []string) int {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_, err = h.Start(context.Background(), spawn.Spec{Path: "sh", Args: []string{"sh", "-c", args[0]}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(linux.Children(os.Getpid())[0])
	select {}
}

// A victim is a host that is to be killed.
type victim struct {
	host, keeper int
	runtimeDir   string // $XDG_RUNTIME_DIR
	folder       string
	below        []int // all below the keeper
	kill         func()
}

// victimWith starts a host with a child, and waits until there are n processes
// below its keeper, plugin and child included, which the keeper has noted.
func victimWith(t *testing.T, n int, script string) *victim {
	t.Helper()
	v := &victim{runtimeDir: privateDir(t)}
	t.Setenv("XDG_RUNTIME_DIR", v.runtimeDir) // of Reap, too
	t.Setenv("TMPDIR", privateDir(t))
	cmd := helperproc.Command("host", script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v.host = cmd.Process.Pid
	ended := false
	v.kill = func() {
		if !ended {
			ended = true
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	t.Cleanup(v.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if v.keeper, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(line)
	}
	v.folder = keeperFolder(v.keeper)
	t.Cleanup(func() { killAll(append(v.below, v.keeper)) })
	eventually(t, func() bool {
		v.below = descendants(v.keeper)
		return len(v.below) == n && noted(v) >= n
	})
	return v
}

// noted returns how many living processes the keeper has noted.
func noted(v *victim) (n int) {
	for _, path := range runfolder.Records(v.folder, keeper.RecordPrefix) {
		r, _ := keeper.ReadRecord(path)
		for _, e := range r.Entries {
			if s, err := linux.ReadStat(e.Pid); err == nil && hunt.Means(e, s) {
				n++
			}
		}
	}
	return n
}

// killBoth kills host and keeper so that neither can clean up.
func (v *victim) killBoth(t *testing.T) {
	t.Helper()
	syscall.Kill(v.keeper, syscall.SIGSTOP)
	eventually(t, func() bool { s, _ := linux.ReadStat(v.keeper); return s.State == 'T' })
	syscall.Kill(v.keeper, syscall.SIGKILL)
	v.kill()
	gone(t, v.keeper)
}

func privateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "i") // t.TempDir has too long a name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func descendants(pid int) (all []int) {
	for _, c := range linux.Children(pid) {
		all = append(append(all, c), descendants(c)...)
	}
	return all
}

func alive(pid int) bool {
	s, err := linux.ReadStat(pid)
	return err == nil && s.State != 'Z' && s.State != 'X'
}

func living(pids []int) (list []int) {
	for _, pid := range pids {
		if alive(pid) {
			list = append(list, pid)
		}
	}
	return list
}

// gone waits for the end of processes.
func gone(t *testing.T, pids ...int) {
	t.Helper()
	eventually(t, func() bool { return len(living(pids)) == 0 })
}

func killAll(pids []int) {
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// eventually waits for something that is no event.
func eventually(t *testing.T, true func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !true(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("it has not come about in 20 s")
		}
	}
}
