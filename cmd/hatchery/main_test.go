//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/keep"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
	"github.com/rogpeppe/go-internal/testscript"
)

// The command is tested as a process: this test binary is copied under the
// names below, in a folder at the front of $PATH. The keeper and built-in
// plugins, which are the same file executed again, are told by argv[0].
func TestMain(m *testing.M) {
	actor.Park() // of a-worker
	host.Init(backends.Builtin()...)
	if code, ok := keep.Main(os.Args); ok {
		os.Exit(code)
	}
	if code, ok := backendtest.BeHost(); ok {
		os.Exit(code)
	}
	serve := func(b sdk.Backend) func() {
		return func() { os.Exit(sdk.Main(b)) }
	}
	testscript.Main(tests{m}, map[string]func(){
		"hatchery":               main,
		"a-job":                  aJob,
		"a-panic":                aPanic,
		"a-squatter":             aSquatter,
		"a-worker":               aWorker,
		"an-actor":               actorMain,
		"spawn-backend-careful":  serve(careful{}),
		"spawn-backend-homesick": serve(homesick{}),
		"spawn-backend-stub":     serve(stub{}),
	})
}

// tests runs the tests and looks for what they leave behind.
type tests struct{ *testing.M }

func (t tests) Run() int {
	// Under the race detector every process sleeps for a second at its end,
	// which tests with a bound would have to know about.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	for _, name := range []string{"HATCHERY_SPAWN_BACKEND", "HATCHERY_BACKEND_PATH", "HATCHERY_LOG", "HATCHERY_LOG_FILE"} {
		os.Unsetenv(name)
	}
	return leakcheck.Main(t.M)
}

// hatchery returns the command, not started. It reads no configuration of
// whoever runs the tests.
func hatchery(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("hatchery")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home)
	return cmd
}

// binaries returns the folder with the backends of this file. Its mode must
// not depend on the umask.
func binaries(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("spawn-backend-careful")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(path, 0o755), os.Chmod(filepath.Dir(path), 0o755)); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}

// result runs a command and returns what it wrote and its exit code, which is
// -1 when a signal ended it.
func result(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}
