package host_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
)

// TestTimerSlackIsTheHosts: the keeper has another one (see its lateness).
func TestTimerSlackIsTheHosts(t *testing.T) {
	const script = "cat /proc/self/timerslack_ns"
	want, err := exec.Command("sh", "-c", script).Output()
	if err != nil {
		t.Skip("the kernel does not tell of its timer slack: ", err)
	}
	h := open(t, host.Config{})
	var out strings.Builder
	cmd := h.Command("sh", "-c", script)
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != string(want) {
		t.Errorf("the child's timer slack is %q, that of a child of os/exec %q", got, want)
	}
}
