package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A killed caller takes its child and what is below that with it, and nobody else.
func TestKeepCallerKilled(t *testing.T) {
	base := keepFolder(t)
	other, otherPid := calls(t, nil, "stay")
	otherBelow := other.number("below")
	s, pid := calls(t, nil, "stay")
	below := s.number("below")
	s.cmd.Process.Kill()
	gone(t, pid, below)
	if !alive(otherPid) || !alive(otherBelow) {
		t.Error("the child of another call has ended")
	}
	theServer(t, base)
	other.signal(syscall.SIGTERM)
	other.ends(128 + 15)
	gone(t, otherBelow)
}

// A killed server takes all children with it; callers say that they are lost.
func TestKeepServerKilled(t *testing.T) {
	base := keepFolder(t)
	s, pid := calls(t, nil, "stay")
	below := s.number("below")
	server := theServer(t, base)
	keepers := linux.Children(server)
	syscall.Kill(server, syscall.SIGKILL)
	s.ends(codeFailed)
	if want := fmt.Sprintf("lost: the server that it ran in, process %d, has ended", server); !strings.Contains(s.stderr.String(), strings.TrimPrefix(want, "lost: ")) {
		t.Errorf("stderr %s, want %q", &s.stderr, want)
	}
	gone(t, append(keepers, pid, below)...)
	if _, stderr, code := result(t, hatchery(t, kept(nil, "look")...)); code != 7 {
		t.Errorf("the next call: exit code %d: %s", code, stderr)
	}
}

// A killed keeper costs the children; the server goes on with another one.
func TestKeepKeeperKilled(t *testing.T) {
	base := keepFolder(t)
	s, pid := calls(t, nil, "stay")
	server := theServer(t, base)
	for _, keeper := range linux.Children(server) {
		syscall.Kill(keeper, syscall.SIGKILL)
	}
	s.ends(codeFailed)
	gone(t, pid)
	if _, stderr, code := result(t, hatchery(t, kept(nil, "look")...)); code != 7 || theServer(t, base) != server {
		t.Errorf("the next call: exit code %d: %s", code, stderr)
	}
}

// A killed plugin costs nothing.
func TestKeepPluginKilled(t *testing.T) {
	base := keepFolder(t)
	s, _ := calls(t, nil, "stay")
	killed := 0
	for _, keeper := range linux.Children(theServer(t, base)) {
		for _, pid := range linux.Children(keeper) {
			if st, err := linux.ReadStat(pid); err == nil && st.Comm == "hatchery-plugin" {
				syscall.Kill(pid, syscall.SIGKILL)
				killed++
			}
		}
	}
	if killed != 1 {
		t.Errorf("%d plugins", killed)
	}
	if _, stderr, code := result(t, hatchery(t, kept(nil, "look")...)); code != 7 {
		t.Errorf("the next call: exit code %d: %s", code, stderr)
	}
	s.signal(syscall.SIGTERM)
	s.ends(128 + 15)
}

// A server that is stopped holds nobody up for long.
func TestKeepServerStopped(t *testing.T) {
	base := keepFolder(t)
	ending, endingPid := calls(t, nil, "stay")
	killing, killingPid := calls(t, []string{"--grace", "1m"}, "deaf")
	server := theServer(t, base)
	syscall.Kill(server, syscall.SIGSTOP)
	defer syscall.Kill(server, syscall.SIGCONT)
	eventually(t, func() bool { s, _ := linux.ReadStat(server); return s.State == 'T' })
	_, stderr, code := result(t, hatchery(t, kept(nil, "look")...))
	if want := fmt.Sprintf("process %d, which is stopped, does not answer", server); code != codeFailed || !strings.Contains(stderr, want) {
		t.Errorf("a new call: exit code %d: %s, want %q", code, stderr, want)
	}
	ending.signal(syscall.SIGTERM)
	killing.signal(syscall.SIGTERM)
	killing.signal(syscall.SIGHUP)
	ending.ends(codeFailed)
	killing.ends(codeFailed)
	gone(t, endingPid, killingPid)
}

// SIGTERM ends a server as it ends a host: children are asked, and told of.
func TestKeepServerTerminated(t *testing.T) {
	base := keepFolder(t)
	s, pid := calls(t, nil, "stay")
	below := s.number("below")
	server := theServer(t, base)
	syscall.Kill(server, syscall.SIGTERM)
	s.ends(128 + 15)
	gone(t, pid, below, server)
}

// A server ends by itself when nobody has called for a while, and when it cannot be
// called any more.
func TestKeepServerEnds(t *testing.T) {
	base := keepFolder(t)
	short := append([]string{"run", "--spawn-backend", "forkserver", "--opt", "keep=200ms"}, kept(nil, "read")[5:]...)
	s := begin(t, short...)
	s.ends(0)
	for _, pid := range servers(base) {
		gone(t, pid)
	}
	s, pid := calls(t, nil, "stay")
	server := theServer(t, base)
	sockets, err := filepath.Glob(filepath.Join(base, "*", "keep-*"))
	if err != nil || len(sockets) != 1 {
		t.Fatal(sockets, err)
	}
	if err := os.RemoveAll(filepath.Dir(sockets[0])); err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Error("the child has ended with the folder")
	}
	s.signal(syscall.SIGTERM)
	s.ends(128 + 15)
	gone(t, server)
}

// noted reports whether a keeper has noted a process.
func noted(base string, pid int) bool {
	records, _ := filepath.Glob(filepath.Join(base, "*", keeper.RecordPrefix+"*"))
	for _, path := range records {
		r, _ := keeper.ReadRecord(path)
		if slices.ContainsFunc(r.Entries, func(e keeper.Entry) bool { return e.Pid == pid }) {
			return true
		}
	}
	return false
}

// What a server leaves that was killed together with its keeper is found.
func TestKeepReap(t *testing.T) {
	base := keepFolder(t)
	s, pid := calls(t, nil, "stay")
	below := s.number("below")
	server := theServer(t, base)
	eventually(t, func() bool { return noted(base, below) })
	both := append(linux.Children(server), server)
	for _, pid := range both {
		syscall.Kill(pid, syscall.SIGSTOP)
	}
	for _, pid := range both {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	s.ends(codeFailed)
	gone(t, append(both, pid)...)
	if out, stderr, code := result(t, hatchery(t, "reap")); code != 0 {
		t.Errorf("exit code %d: %s%s", code, out, stderr)
	}
	gone(t, below)
}
