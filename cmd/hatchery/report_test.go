//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The report has exactly these members, and what they say is so.
func TestReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	begun := time.Now()
	out, stderr, code := result(t, hatchery(t, "run", "--report", path, "--", "sh", "-c", "echo $$; sleep 0.2; kill -ABRT $$"))
	took := time.Since(begun)
	if code != 128+6 {
		t.Fatalf("code %d: %s", code, stderr)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var shape map[string]any
	var r report
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &shape); err != nil {
		t.Fatal(err)
	}
	members := map[string]int{}
	for k, v := range shape {
		inner, _ := v.(map[string]any)
		members[k] = len(inner)
	}
	want := map[string]int{"backend": 0, "pid": 0, "start": 0, "exit": 5, "rusage": 9, "timings_us": 6, "notes": 0, "leftovers": 0}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Error("members (-want +got):\n", diff)
	}
	pid := strings.TrimSpace(out)
	if got := string(encoded(t, r.Pid)); got != pid {
		t.Errorf("pid %s, want %s", got, pid)
	}
	if r.Exit.Code != -1 || r.Exit.Signal != "SIGABRT" || r.Exit.Source != "kernel" {
		t.Errorf("exit %+v", r.Exit)
	}
	sum := r.Timings.Host + r.Timings.Keeper + r.Timings.PluginStart + r.Timings.Spawn + r.Timings.Run + r.Timings.Teardown
	if sum > took.Microseconds() || r.Timings.Run < 190_000 || r.Timings.Host <= 0 || r.Timings.Keeper <= 0 || r.Timings.PluginStart <= 0 || r.Timings.Spawn <= 0 || r.Timings.Teardown <= 0 {
		t.Errorf("timings %+v, of %v in all", r.Timings, took)
	}
	if r.Rusage.MaxRSS < 100<<10 || r.Rusage.MinorFaults == 0 {
		t.Errorf("rusage %+v", r.Rusage)
	}
}

func TestReportReplacesTheFileAsAWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	write(t, path, "old", 0o644)
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if _, stderr, code := result(t, hatchery(t, "run", "--report", path, "--", "true")); code != 0 {
		t.Fatal(stderr)
	}
	was, err1 := old.Stat()
	now, err2 := os.Stat(path)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if os.SameFile(was, now) {
		t.Error("the old file was written to")
	}
	if b, err := os.ReadFile("/proc/self/fd/" + string(encoded(t, int(old.Fd())))); err != nil || string(b) != "old" {
		t.Errorf("who had the old file open reads %q, %v", b, err)
	}
}

func TestSignalNames(t *testing.T) {
	for sig, want := range map[syscall.Signal]string{1: "SIGHUP", 9: "SIGKILL", 15: "SIGTERM", 30: "SIG30", 33: "SIG33", 34: "SIGRTMIN+0", 64: "SIGRTMIN+30"} {
		if got := signalName(sig); got != want {
			t.Errorf("signal %d is %q, want %q", sig, got, want)
		}
	}
}
