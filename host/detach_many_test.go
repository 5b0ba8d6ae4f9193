//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestDetachedWithTooManyAdopters: the sixty-fifth waits for its turn, and is told
// in time when it does not come.
func TestDetachedWithTooManyAdopters(t *testing.T) {
	privatePlaces(t)
	h := open(t, host.Config{Timeouts: host.Timeouts{Call: 300 * time.Millisecond}})
	d, keeper, dir := startDetached(t, h, sh("exec sleep 1000"), host.DetachOptions{})
	const most = 64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	all := make([]*host.Detached, most)
	for i := range all {
		all[i] = adopt(t, h, d.Ref())
		wg.Go(func() {
			if _, err := all[i].Wait(ctx); !errors.Is(err, spawn.ErrCanceled) {
				t.Error(err)
			}
		})
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	// Each of them has come to wait when nobody else gets in.
	for end := time.Now().Add(20 * time.Second); ; <-tick.C {
		_, err := h.Adopt(t.Context(), d.Ref())
		if errors.Is(err, spawn.ErrTimeout) {
			break
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("the sixty-fifth: %v", err)
		}
	}
	cancel()
	wg.Wait()
	if s, err := d.Stop(t.Context()); err != nil || s.Signal != syscall.SIGTERM {
		t.Errorf("%+v, %v", s, err)
	}
	collected(t, d, keeper, dir)
}

// detachPid1Helper is a host that is the first of its PID namespace. What it
// detaches comes back to it as an orphan.
func detachPid1Helper([]string) int {
	if err := ownProc(); err != nil {
		fmt.Println(err)
		return 1
	}
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for i := range 5 {
		d, err := h.StartDetached(context.Background(), sh(fmt.Sprintf("exit %d", i)), host.DetachOptions{})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		s, err := d.Wait(context.Background())
		if err != nil || s.Code != i {
			fmt.Println(s, err)
			return 1
		}
		if err := d.Forget(context.Background()); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	h.Close()
	var ws syscall.WaitStatus
	if pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil); err != syscall.ECHILD {
		fmt.Println("there is a child or a zombie:", pid, err)
		return 1
	}
	fmt.Println("nothing left")
	return 0
}

func TestDetachedByPid1(t *testing.T) {
	privatePlaces(t)
	helperproc.Skip("detachpid1") // if the next line does
	skipWithoutPidNamespace(t)
	cmd := helperproc.Command("detachpid1")
	cmd.SysProcAttr = ownPids()
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "nothing left\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDetachedIdle: a Detached that nobody uses holds nothing.
func TestDetachedIdle(t *testing.T) {
	privatePlaces(t)
	h := open(t, host.Config{})
	start(t, h, sh("exit")).Wait()
	before := openDescriptors(t)
	var all []*host.Detached
	for range 10 {
		d, _, _ := startDetached(t, h, sh("exec sleep 1000"), host.DetachOptions{})
		must(t, d.Signal(syscall.SIGCONT))
		all = append(all, d)
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors, and %d with ten detached children", before, after)
	}
	for _, d := range all {
		if _, err := d.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		must(t, d.Forget(t.Context()))
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(list)
}
