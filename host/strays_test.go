//go:build linux

package host_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestNoStrayDescriptor starts a thousand children, many at a time, while the
// host opens and closes others, some without close-on-exec, and looks at each.
func TestNoStrayDescriptor(t *testing.T) {
	h := open(t, host.Config{})
	path := t.TempDir() + "/pause"
	must(t, tinyelf.Write(path, tinyelf.Pause()))
	stop := make(chan struct{})
	var busy, starters sync.WaitGroup
	for range 2 {
		busy.Go(func() { openAndClose(stop) })
	}
	extra, err := os.Open("/dev/zero")
	must(t, err)
	defer extra.Close()
	left := make(chan int, 1000)
	for i := range 1000 {
		left <- i
	}
	close(left)
	for range 32 {
		starters.Go(func() {
			for i := range left {
				spec := spawn.Spec{Path: path, Env: []string{}}
				want := "0 1 2"
				if i%2 == 1 {
					spec.Files, want = []*os.File{nil, nil, nil, nil, extra, nil, nil, extra}, "0 1 2 4 7"
				}
				p, err := h.Start(context.Background(), spec)
				if err != nil {
					t.Error(err)
					return
				}
				settled(p.Pid())
				if got := numbersOf(p.Pid()); got != want {
					t.Errorf("child has descriptors %s, want %s", got, want)
				}
				p.Kill()
				p.Wait()
			}
		})
	}
	starters.Wait()
	close(stop)
	busy.Wait()
}

// openAndClose opens descriptors that no child is to have.
func openAndClose(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		var fds []int
		for range 20 {
			if fd, err := syscall.Open("/dev/full", syscall.O_RDONLY, 0); err == nil {
				fds = append(fds, fd)
			}
		}
		for _, fd := range fds {
			syscall.Close(fd)
		}
	}
}

// settled waits until the program "pause" waits. An exec that cannot fail any
// more is still under way when Start returns, with os/exec too: for some
// microseconds there is no command line yet, and what is close-on-exec is open.
func settled(pid int) {
	tick := time.NewTicker(100 * time.Microsecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-tick.C {
		s, err := linux.ReadStat(pid)
		if err != nil || s.State == 'Z' || s.State == 'S' && s.Comm == "pause" {
			return
		}
	}
}

// numbersOf returns the descriptors of a process.
func numbersOf(pid int) string {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestHostsInputIsItsOwn gives a host input, and has it start children that
// would read it.
func TestHostsInputIsItsOwn(t *testing.T) {
	cmd := helperproc.Command("input")
	cmd.Stdin = strings.NewReader("some input")
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "some input" {
		t.Errorf("what was left of the host's input: %q, %v", out, err)
	}
}

func inputHelper([]string) int {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	out, err := h.Command("cat").CombinedOutput()
	if err != nil || len(out) > 0 {
		fmt.Printf("cat: %q, %v\n", out, err)
	}
	p, err := h.Start(context.Background(), sh("cat; cat <&0"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	p.Wait()
	if err := h.Close(); err != nil {
		fmt.Println(err)
	}
	var b [64]byte
	n, _ := os.Stdin.Read(b[:])
	os.Stdout.Write(b[:n])
	return 0
}
