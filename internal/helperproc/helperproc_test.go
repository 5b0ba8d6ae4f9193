package helperproc

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	run := m.Run
	if os.Getenv("HELPERPROC_TEST_INNER") != "" {
		// A run of its own, whose tests are none and use no helper.
		run = func() int { return 0 }
	}
	os.Exit(Main(run, map[string]Func{"args": printArgs, "exit": exit}))
}

func printArgs(args []string) int {
	fmt.Printf("%q %q\n", args, os.Getenv(envMark))
	return 0
}

func exit(args []string) int {
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return 99
	}
	return code
}

func TestCommandRunsTheHelper(t *testing.T) {
	out, err := Command("args", "a", "", "-test.run=x").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), `["a" "" "-test.run=x"] ""`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEnvRunsTheHelperWhateverArgv0Is(t *testing.T) {
	cmd := exec.Command(Path(), "a")
	cmd.Env = []string{Env("args")}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), `["a"] ""`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExitCodeIsTheHelpers(t *testing.T) {
	for _, code := range []int{0, 7, 255} {
		cmd := Command("exit", strconv.Itoa(code))
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("exit code %d, want %d", got, code)
		}
	}
}

func TestUnknownHelperSaysSo(t *testing.T) {
	out, err := Command("nothing").CombinedOutput()
	if err == nil {
		t.Fatal("succeeded")
	}
	if want := `no helper "nothing" in this test binary: want one of ["args" "exit"]`; !strings.Contains(string(out), want) {
		t.Errorf("%q does not say %q", out, want)
	}
}

func TestUnusedHelperFailsAFullRunOnly(t *testing.T) {
	inner := func(args ...string) (string, int) {
		cmd := exec.Command(Path(), args...)
		cmd.Env = append(os.Environ(), "HELPERPROC_TEST_INNER=1", "GORACE=atexit_sleep_ms=0")
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	out, code := inner()
	if code != 1 || !strings.Contains(out, `helper "args" was not used`) || !strings.Contains(out, `helper "exit" was not used`) {
		t.Errorf("full run: code %d, output %q", code, out)
	}
	for _, arg := range []string{"-test.run=x", "-test.skip=x", "-test.short"} {
		if out, code := inner(arg); code != 0 || out != "" {
			t.Errorf("with %s: code %d, output %q", arg, code, out)
		}
	}
}
