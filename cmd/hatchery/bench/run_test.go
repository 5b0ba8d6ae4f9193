//go:build linux && (amd64 || arm64)

package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

// config is a small run.
func config(t *testing.T, programs ...string) Config {
	t.Helper()
	h, err := host.Open(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg := Config{Host: h, Methods: []string{"forkexec", "go_fork"}, Callers: []int{1, 4}, Time: 300 * time.Millisecond, Rounds: 3}
	for _, name := range programs {
		p, err := FindProgram(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		cfg.Programs = append(cfg.Programs, p)
	}
	return cfg
}

func TestRun(t *testing.T) {
	cfg := config(t, Tiny, "true") // not Go: with the race detector, that sleeps for a second at its end
	cfg.Descriptors = 300
	told := -1.0
	cfg.Progress = func(done float64, next string) {
		if done < told || done > 1 || next == "" {
			t.Errorf("progress %v after %v: %q", done, told, next)
		}
		told = done
	}
	r := Run(t.Context(), cfg)
	if !r.Complete || r.Rounds == 0 || told < 0.2 {
		t.Errorf("complete %v, %d rounds, progress %v", r.Complete, r.Rounds, told)
	}
	seen := map[string]int{}
	for _, row := range r.Rows {
		seen[row.Method]++
		if row.Skipped != "" || row.Children < max(row.Callers, row.Batch) || row.Median <= 0 || row.P99 < row.Median || row.PerSecond <= 0 || row.HostCPU <= 0 {
			t.Errorf("%+v", row)
		}
		if row.Method == "forkexec" && (row.Against != OSExec || row.MedianRatio == nil || row.ThroughputRatio == nil || row.KeeperCPU <= 0) {
			t.Errorf("%+v", row)
		}
		if many := row.Scenario == Descriptors; many != (row.Descriptors == 300) || many && (row.Program != Tiny || row.Callers != 1) {
			t.Errorf("%+v", row)
		}
	}
	if seen[OSExec] != 6 || seen["forkexec"] != 6 || seen["go_fork"] != 0 {
		t.Errorf("rows: %v", seen)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\ntiny: a static program of ", "\none at a time, the host with 300 open descriptors; ", "x  ", "█", "\nmany in one request: ", "go_fork: blocked: only the thread"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

// TestPaused measures sandboxes that wait for their program: each turn begins with
// children that are not counted.
func TestPaused(t *testing.T) {
	cfg := config(t, Tiny)
	cfg.Methods, cfg.Callers, cfg.Rounds = []string{"isolate"}, []int{1}, 1
	r := Run(t.Context(), cfg)
	for _, s := range r.Skipped {
		if s.Method == "isolate" {
			t.Skip("isolate does not work here: " + s.Reason)
		}
	}
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Scenario == Paused && row.Method == "isolate" })
	if i < 0 {
		t.Fatalf("no row: %+v", r.Rows)
	}
	row := r.Rows[i]
	if row.Skipped != "" || row.Children < pausedLeast || row.Pause != 15000 || row.Program != Tiny || row.Callers != 1 {
		t.Errorf("%+v", row)
	}
	if row.PerSecond*pause.Seconds() > 1 {
		t.Errorf("%v children a second, with a pause of %v behind each", row.PerSecond, pause)
	}
	if (row.Against == Bwrap) != (row.MedianRatio != nil) {
		t.Errorf("%+v", row)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	if want := "\none at a time, 15 ms apart; "; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in\n%s", want, &out)
	}
}

// TestTooManyDescriptors finds the reason in the rows.
func TestTooManyDescriptors(t *testing.T) {
	cfg := config(t, Tiny)
	cfg.Descriptors = 100_000_000
	found := 0
	for _, row := range Run(t.Context(), cfg).Rows {
		if row.Scenario == Descriptors {
			found++
			if row.Children != 0 || !strings.Contains(row.Skipped, "RLIMIT_NOFILE is ") {
				t.Errorf("%+v", row)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d rows, want 2", found)
	}
}

// TestEndedEarly ends a run whose program does not end.
func TestEndedEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := config(t, Tiny)
	path := filepath.Join(t.TempDir(), "sleeps")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	sleeps, err := FindProgram(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Programs = append(cfg.Programs, sleeps)
	cfg.Time = time.Hour
	cfg.Rounds = 1000
	cfg.Progress = func(_ float64, next string) {
		if strings.HasPrefix(next, path) { // it is about to sleep
			time.AfterFunc(100*time.Millisecond, cancel)
		}
	}
	begin := time.Now()
	r := Run(ctx, cfg)
	if took := time.Since(begin); took > 50*time.Second {
		t.Errorf("it took %v", took)
	}
	if r.Complete || r.Rounds != 0 {
		t.Errorf("complete %v, %d rounds", r.Complete, r.Rounds)
	}
	for _, row := range r.Rows {
		// What comes behind it, batches and sandboxes, has not had its turn.
		reached := row.Program == Tiny && row.Scenario == Plain && row.Method != Bwrap
		if row.Skipped != "" || reached != (row.Children > 0) {
			t.Errorf("%+v", row)
		}
	}
}

// TestFailingProgram finds the reason in the rows, and goes on.
func TestFailingProgram(t *testing.T) {
	cfg := config(t, Tiny, "false")
	for _, row := range Run(t.Context(), cfg).Rows {
		if failed := row.Program == "false"; failed != (row.Skipped != "") {
			t.Errorf("%+v", row)
		}
	}
}

// TestStarts has another program in the place of the command.
func TestStarts(t *testing.T) {
	cfg := config(t, Tiny)
	cfg.Hatchery = "/bin/echo"
	r := Run(t.Context(), cfg)
	if len(r.Starts) < 7 || r.Starts[0].What != "true" {
		t.Fatalf("%+v", r.Starts)
	}
	for _, s := range r.Starts {
		if s.Runs == 0 || s.Median <= 0 || s.Skipped != "" || (s.Against != "") != (s.Ratio != nil) {
			t.Errorf("%+v", s)
		}
	}
}

func TestGoProgram(t *testing.T) {
	p, err := FindProgram(Go)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Try(t.Context()), p.Close()); err != nil {
		t.Error(err)
	}
}

func TestFindProgram(t *testing.T) {
	if _, err := FindProgram("no-such-program"); err == nil {
		t.Error("found a program that is not there")
	}
	p, err := FindProgram(Tiny)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(p.Path)); !os.IsNotExist(err) {
		t.Error("the folder is still there: ", err)
	}
}

// TestSandboxIsKilledWhole has something in the place of bubblewrap that leaves
// another process behind when only it is killed.
func TestSandboxIsKilledWhole(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nexec >" + dir + "/fifo\nsleep 1000 &\necho here\nwait\n"
	if err := os.WriteFile(dir+"/sandbox", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := bwrap(dir+"/sandbox").start(t.Context(), &Program{Path: "/bin/true", Args: []string{"true"}})
	if err != nil {
		t.Fatal(err)
	}
	fifo, err := os.Open(dir + "/fifo")
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	here := make([]byte, 100)
	if _, err := fifo.Read(here); err != nil {
		t.Fatal(err)
	}
	r.kill()
	r.wait()
	timer := time.AfterFunc(20*time.Second, func() { fifo.Close() })
	defer timer.Stop()
	if _, err := fifo.Read(here); err != io.EOF { // nobody has it open any more
		t.Errorf("read: %v, want the end of the file", err)
	}
}
