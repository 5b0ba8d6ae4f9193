//go:build linux

package linux

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// statusLine returns a line of /proc/self/status.
func statusLine(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no line %s", name)
	return ""
}

func TestCapabilitiesAreThoseOfProc(t *testing.T) {
	c := CapabilitiesOf(os.Getpid())
	for name, got := range map[string]uint64{
		"CapEff": uint64(c[1].Effective)<<32 | uint64(c[0].Effective),
		"CapPrm": uint64(c[1].Permitted)<<32 | uint64(c[0].Permitted),
		"CapInh": uint64(c[1].Inheritable)<<32 | uint64(c[0].Inheritable),
	} {
		if want := statusLine(t, name); fmt.Sprintf("%016x", got) != want {
			t.Errorf("%s is %016x, /proc says %s", name, got, want)
		}
	}
}

func TestGroupsAreThoseOfProc(t *testing.T) {
	g := Groups()
	list := slices.Clone(g.List[:g.N])
	slices.Sort(list)
	if got, want := strings.Trim(fmt.Sprint(list), "[]"), statusLine(t, "Groups"); got != want {
		t.Errorf("groups %q, /proc says %q", got, want)
	}
}

func TestSessionIsThatOfProc(t *testing.T) {
	s, err := ReadStat(os.Getpid())
	if got := SessionID(); err != nil || got != s.Session {
		t.Errorf("SessionID() = %d, /proc says %d, %v", got, s.Session, err)
	}
}

// TestSchedulingOfAnother changes how a process is scheduled and looks.
func TestSchedulingOfAnother(t *testing.T) {
	pid := sleeper(t).Process.Pid
	before := SchedulingOf(pid)
	run(t, "chrt", "--batch", "--pid", "0", fmt.Sprint(pid))
	run(t, "ionice", "-c", "2", "-n", "7", "-p", fmt.Sprint(pid))
	run(t, "taskset", "-p", "1", fmt.Sprint(pid))
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, pid, 15); err != nil {
		t.Fatal(err)
	}
	const batch, bestEffort7 = 3, 2<<13 | 7
	want := before
	want.Policy, want.IO = batch, bestEffort7
	if got := SchedulingOf(pid); got != want {
		t.Errorf("SchedulingOf = %+v, want %+v", got, want)
	}
	if got := Nice(pid); got != 15 {
		t.Errorf("Nice = %d, want 15", got)
	}
	if got := Affinity(pid); got != (CPUSet{1}) {
		t.Errorf("Affinity = %v, want processor 0", got)
	}
}

// run runs a program of util-linux.
func run(t *testing.T, argv ...string) {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		t.Skipf("needs %s (util-linux): %v", argv[0], err)
	}
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, out)
	}
}

func TestReadAtOnce(t *testing.T) {
	f, err := os.Open("/proc/self/oom_score_adj")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, _ := os.ReadFile(f.Name())
	b := make([]byte, 16)
	for range 2 { // from the beginning each time
		if n := ReadAtOnce(int(f.Fd()), b); string(b[:n]) != string(want) {
			t.Errorf("read %q, want %q", b[:n], want)
		}
	}
	if n := ReadAtOnce(-1, b); n != 0 {
		t.Errorf("read %d bytes of nothing", n)
	}
}
