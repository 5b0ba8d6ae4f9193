package portal_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/host"
)

// reachable returns the sockets of a process that others could find: those of the
// internet, and Unix sockets that listen or have a name. By their inodes.
func reachable(t testing.TB, pid int) map[string]string {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d", pid)
	own := map[string]bool{}
	fds, err := filepath.Glob(proc + "/fd/*")
	if err != nil || len(fds) == 0 {
		t.Fatalf("%s has no descriptors: %v", proc, err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:[") {
			own[strings.Trim(to, "socket:[]")] = true
		}
	}
	found := map[string]string{}
	for _, table := range []struct {
		name  string
		inode int
	}{{"tcp", 9}, {"tcp6", 9}, {"udp", 9}, {"udp6", 9}, {"raw", 9}, {"raw6", 9}, {"packet", 8}, {"unix", 6}} {
		b, err := os.ReadFile(filepath.Join(proc, "net", table.name))
		if err != nil {
			continue // the kernel has no such sockets
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) <= table.inode || !own[f[table.inode]] {
				continue
			}
			const listens = "00010000"
			if table.name == "unix" && len(f) == 7 && f[3] != listens {
				continue // neither a name nor a listener
			}
			found[f[table.inode]] = table.name + " " + line
		}
	}
	return found
}

// TestNoAddress holds that nothing of a portal can be reached from elsewhere.
func TestNoAddress(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		without := len(reachable(t, os.Getpid()))
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		if with := len(reachable(t, os.Getpid())); with != without+1 {
			t.Fatalf("of %d sockets a %s listener makes %d: this test sees nothing", without, network, with)
		}
		l.Close()
	}
	if err := nursery(t, func(ctx context.Context, n *host.Nursery) error {
		before := reachable(t, os.Getpid()) // the host's own, if it has any
		a, p := start(t, ctx, n, spec("a"), functions())
		if _, err := portal.Call[point](ctx, p, "mirror", point{}); err != nil {
			t.Error(err)
		}
		if _, err := portal.Call[string](ctx, p, "back", "say"); err != nil {
			t.Error(err)
		}
		for _, s := range reachable(t, a.Child().Process().Pid()) {
			t.Error("the actor has ", s)
		}
		for inode, s := range reachable(t, os.Getpid()) {
			if before[inode] == "" {
				t.Error("the parent has ", s)
			}
		}
		a.Stop(ctx)
		return nil
	}); err != nil {
		t.Error(err)
	}
}
