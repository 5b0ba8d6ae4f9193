package actor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// orphan starts an actor whose parent is no keeper and sends no signals, kills
// the parent, and returns a descriptor of the actor's process.
func orphan(t *testing.T, entry, mode string) (pidfd int) {
	t.Helper()
	cmd := helperproc.Command("parent", entry, mode)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var pid int
	if err := json.NewDecoder(out).Decode(&pid); err != nil {
		t.Fatal("the parent says nothing: ", err)
	}
	pidfd, err = linux.PidfdOpen(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		linux.PidfdSignal(pidfd, syscall.SIGKILL)
		syscall.Close(pidfd)
	})
	return pidfd
}

// awaitExit waits for the end of a process that is nobody's child here.
func awaitExit(t *testing.T, pidfd int, limit time.Duration) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !linux.Exited(pidfd); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("the orphan is still there after %v", limit)
		}
	}
}

// TestOrphansEndByThemselves holds that no signal is needed. What is measured
// is the two seconds that are promised.
func TestOrphansEndByThemselves(t *testing.T) {
	for _, entry := range []string{"idle", "busy"} {
		for _, mode := range []string{channel.SIGINTParent, channel.SIGINTSelf} {
			t.Run(entry+" "+mode, func(t *testing.T) {
				awaitExit(t, orphan(t, entry, mode), 2*time.Second)
			})
		}
	}
}

func TestOrphansObeySIGINT(t *testing.T) {
	times := 20
	if testing.Short() {
		times = 3
	}
	for _, entry := range []string{"idle", "busy"} {
		for i := range times {
			t.Run(fmt.Sprint(entry, i), func(t *testing.T) {
				pidfd := orphan(t, entry, channel.SIGINTParent)
				linux.PidfdSignal(pidfd, syscall.SIGINT) // it may have ended
				awaitExit(t, pidfd, time.Second)
			})
		}
	}
}
