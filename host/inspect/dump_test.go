//go:build linux

package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
)

func dump(t *testing.T, pid int) string {
	t.Helper()
	var b bytes.Buffer
	begin := time.Now()
	if err := Dump(context.Background(), pid, &b); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > 7*time.Second {
		t.Errorf("the dump took %v", d)
	}
	return b.String()
}

func says(t *testing.T, dump string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(dump, w) {
			t.Errorf("the dump does not say %q:\n%s", w, dump)
		}
	}
}

func TestDump(t *testing.T) {
	v := victimWith(t, 2, "exec sleep 1000")
	child := 0
	eventually(t, func() bool {
		for _, pid := range v.below {
			if s, _ := linux.ReadStat(pid); s.Comm == "sleep" && s.State == 'S' {
				child = pid
			}
		}
		return child != 0
	})
	says(t, dump(t, v.host), fmt.Sprintf("hatchery dump of process %d, ", v.host), fmt.Sprintf("process %d, method forkexec, sleep, ", child), "goroutine 1 [", "== end of the dump\n")
	stopProcess(t, v.host)
	says(t, dump(t, v.host), "seen from outside", "it is stopped", ", stopped, started", "hatchery-keeper", "sleep 1000", "== end of the dump\n")
	resume(v.host)
	says(t, dump(t, v.host), "goroutine 1 [")

	// The keeper is gone and was not missed yet: the host can be asked.
	syscall.Kill(v.keeper, syscall.SIGKILL)
	gone(t, v.keeper)
	says(t, dump(t, v.host), fmt.Sprintf("hatchery dump of process %d, ", v.host), "goroutine 1 [")
}

// TestDumpOfAHostThatIsStuck: it accepts, as a wedged program's kernel does,
// and says nothing.
func TestDumpOfAHostThatIsStuck(t *testing.T) {
	dir := privateDir(t)
	l, err := net.Listen("unix", runfolder.Control(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = askOne(context.Background(), os.Getpid(), dir)
	if err == nil || !strings.Contains(err.Error(), "nothing came within") {
		t.Errorf("error %v", err)
	}
	// A socket that another process has put there is not believed.
	if _, err := askOne(context.Background(), os.Getppid(), dir); err == nil || !strings.Contains(err.Error(), "belongs to process") {
		t.Errorf("of another process: error %v", err)
	}
}

func TestDumpOfWhatIsNoHost(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	says(t, dump(t, pid), "it is no host", "sleep 1000\n")
	cmd.Process.Kill()
	cmd.Wait()
	if err := Dump(context.Background(), pid, new(bytes.Buffer)); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("of a process that is gone: %v", err)
	}
}
