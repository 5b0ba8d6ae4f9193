package forkserver_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
)

// A child has what the host has when it is started, also where the keeper began with it
// before the host had looked whether anything has changed.
func TestInheritsChanges(t *testing.T) {
	h := open(t)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CPU, &old); err != nil {
		t.Fatal(err)
	}
	const least = 1 << 20
	if old.Max < least+10 {
		t.Skip("the hard limit of processor time is too low to try out soft ones")
	}
	defer syscall.Setrlimit(syscall.RLIMIT_CPU, &old)
	oldMask := syscall.Umask(0)
	defer syscall.Umask(oldMask)
	for i := range 9 {
		soft := uint64(least + i/3) // each three times
		if err := syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: soft, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		syscall.Umask(i)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := spec(t, "cat")
		s.Files = []*os.File{r}
		p, err := h.StartMethod(t.Context(), forkserver.Key, s)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := procLine(t, p.Pid(), "limits", "Max cpu time"); !strings.HasPrefix(got, fmt.Sprint(soft)) {
			t.Errorf("%d: its limit of processor time is %s, want %d", i, got, soft)
		}
		if got, want := procLine(t, p.Pid(), "status", "Umask:"), fmt.Sprintf("%04o", i); got != want {
			t.Errorf("%d: its umask is %s, want %s", i, got, want)
		}
		w.Close()
		wait(t, p)
	}
}

// procLine returns what stands behind a name in a file of a process.
func procLine(t *testing.T, pid int, file, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("no %q in %s", name, b)
	return ""
}
