//go:build linux && (amd64 || arm64)

package startlimit_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/linux/startlimit"
)

// TestFiles starts this very test under a limit and lets it say what it saw.
func TestFiles(t *testing.T) {
	if os.Getenv("STARTLIMIT_CHILD") != "" {
		soft, hard, ok := startlimit.Files()
		if soft != 321 || hard != 654 || !ok {
			t.Errorf("Files() = %d, %d, %v; want 321, 654, true", soft, hard, ok)
		}
		return
	}
	cmd := exec.Command("sh", "-c", `ulimit -Sn 321; ulimit -Hn 654; exec "$0" -test.run=TestFiles`, "/proc/self/exe")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args[3] = exe
	cmd.Env = append(os.Environ(), "STARTLIMIT_CHILD=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
