package leakcheck

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

func TestMain(m *testing.M) {
	if runtime.GOOS != "linux" {
		helperproc.Skip("parent")
	}
	os.Exit(helperproc.Main(func() int { return Main(m) }, map[string]helperproc.Func{
		"until_eof": untilEOF,
		"parent":    parent,
	}))
}

// untilEOF lives until its standard input ends.
func untilEOF([]string) int {
	fmt.Println("up")
	os.Stdin.Read(make([]byte, 1))
	return 0
}

// parent lives as long as its child.
func parent([]string) int {
	cmd := helperproc.Command("until_eof")
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	if err := cmd.Run(); err != nil {
		return 1
	}
	return 0
}

// hold starts a helper, waits until it (or its child) is up, and returns a
// function that lets it end and reaps it.
func hold(t *testing.T, name string) (cmd *exec.Cmd, release func()) {
	t.Helper()
	cmd = helperproc.Command(name)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	return cmd, func() {
		in.Close()
		cmd.Wait()
	}
}

// expect holds that exactly the leaks that are named are found, each once.
func expect(t *testing.T, before *Baseline, want ...string) {
	t.Helper()
	left := before.Left(0)
	for _, w := range want {
		n := 0
		for _, l := range left {
			if strings.Contains(l, w) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d entries say %q, want one:\n%s", n, w, indent(left))
		}
	}
	if len(left) != len(want) {
		t.Errorf("%d things are left, want %d:\n%s", len(left), len(want), indent(left))
	}
}

// clean holds that nothing is left once the leak is mended.
func clean(t *testing.T, before *Baseline) {
	t.Helper()
	if left := before.Left(Patience); len(left) > 0 {
		t.Errorf("still left:\n%s", indent(left))
	}
}

func TestNothingLeft(t *testing.T) {
	before := Take()
	expect(t, before)
}

func TestGoroutineIsSeen(t *testing.T) {
	before := Take()
	stop := make(chan struct{})
	go blockedForTheTest(stop)
	expect(t, before, "leakcheck.blockedForTheTest")
	close(stop)
	clean(t, before)
}

func blockedForTheTest(stop <-chan struct{}) { <-stop }

func TestGoroutineOfSignalPackageIsTheSystems(t *testing.T) {
	before := Take()
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	defer signal.Stop(c)
	expect(t, before)
}

func TestWhatWasThereBeforeIsIgnored(t *testing.T) {
	_, release := hold(t, "until_eof")
	defer release()
	stop := make(chan struct{})
	defer close(stop)
	go blockedForTheTest(stop)
	expect(t, Take())
}

func TestLeftWaitsForWhatIsOnItsWayOut(t *testing.T) {
	before := Take()
	stop := make(chan struct{})
	go blockedForTheTest(stop)
	timer := time.AfterFunc(5*interval, func() { close(stop) })
	defer timer.Stop()
	clean(t, before)
}

func TestLeftIsBounded(t *testing.T) {
	before := Take()
	stop := make(chan struct{})
	go blockedForTheTest(stop)
	start := time.Now()
	if left := before.Left(5 * interval); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
	if took := time.Since(start); took < 5*interval || took > Patience {
		t.Errorf("took %v", took)
	}
	close(stop)
	clean(t, before)
}
