package leakcheck

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

// leakVar lets the two deliberately broken tests below leak, in a run of this
// test binary that is started to see it fail. Without it they do nothing; they
// do not skip, because there is nothing that could be tested instead.
const leakVar = "LEAKCHECK_TEST_LEAK"

func leak(t *testing.T) {
	if os.Getenv(leakVar) != "" {
		t.Log("leaking")
		go blockedForTheTest(make(chan struct{}))
	}
}

func TestLeaksUnchecked(t *testing.T) { leak(t) }

func TestLeaksChecked(t *testing.T) {
	Check(t)
	leak(t)
}

func run(t *testing.T, test string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(helperproc.Path(), "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), leakVar+"=1")
	b, _ := cmd.CombinedOutput()
	return string(b), cmd.ProcessState.ExitCode()
}

func TestMainFailsTheRunAndSaysWhy(t *testing.T) {
	t.Parallel() // it waits out the patience of another process
	out, code := run(t, "TestLeaksUnchecked")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{
		"--- PASS: TestLeaksUnchecked",
		"leakcheck: left after the tests of this package:\n\tgoroutine ",
		"blockedForTheTest",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("does not say %q:\n%s", want, out)
		}
	}
}

func TestCheckFailsTheTestAndSaysWhy(t *testing.T) {
	t.Parallel() // it waits out the patience of another process
	out, code := run(t, "TestLeaksChecked")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{
		"--- FAIL: TestLeaksChecked",
		"leakcheck: left after the test:\n",
		"blockedForTheTest",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("does not say %q:\n%s", want, out)
		}
	}
}
