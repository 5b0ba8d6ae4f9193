package host_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var scaleSize = flag.Int("scale", 2000, "how many children TestScale has alive at once")

const (
	// scaleThreads is what the host and the keeper may have more of, each,
	// however many children there are.
	scaleThreads = 24
	// scaleBytes is what a child may cost the host.
	scaleBytes = 4096
)

// TestScale has very many children alive at once, waits for each of them, ends
// half of them one by one, and has Close end the rest. It says what that took of
// time, threads and memory:
//
//	go test ./host -run TestScale -scale 20000 -v
func TestScale(t *testing.T) {
	n := *scaleSize
	if testing.Short() {
		n = min(n, 200)
	}
	path := filepath.Join(t.TempDir(), "pause")
	must(t, tinyelf.Write(path, tinyelf.Pause()))
	h := open(t, host.Config{})
	first := start(t, h, spawn.Spec{Path: path, Env: []string{}}) // plugin and plan are there now
	s := &scale{t: t, host: h, keeper: linux.Children(os.Getpid())[0], first: first}
	s.before = s.take()
	s.start(n-1, path)
	s.check("alive", s.take(), scaleBytes)
	s.wait()
	s.check("alive and waited for", s.take(), 2*scaleBytes) // a goroutine for each, too
	s.end()
	s.close()
}

// A scale is one run of TestScale.
type scale struct {
	t      *testing.T
	host   *host.Host
	keeper int
	before footprint
	first  *host.Process
	procs  []*host.Process

	waits sync.WaitGroup
	mu    sync.Mutex
	bad   int // children that did not end as they should have
}

// A footprint is what a host and its keeper have in use.
type footprint struct {
	hostThreads, keeperThreads int
	heap, hostRSS, keeperRSS   int // bytes
	files                      int
}

func (s *scale) take() footprint {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := footprint{heap: int(m.HeapAlloc + m.StackInuse), files: countFiles()}
	f.hostThreads, f.hostRSS = threadsAndMemory(s.t, os.Getpid())
	f.keeperThreads, f.keeperRSS = threadsAndMemory(s.t, s.keeper)
	return f
}

// threadsAndMemory reads what the kernel says about a process: its threads, and
// the memory in use that is not a file's.
func threadsAndMemory(t *testing.T, pid int) (threads, bytes int) {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	must(t, err)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch name {
		case "Threads":
			threads = n
		case "RssAnon":
			bytes = n << 10
		}
	}
	return threads, bytes
}

func (s *scale) start(n int, path string) {
	begin := time.Now()
	for range n {
		p, err := s.host.Start(context.Background(), spawn.Spec{Path: path, Env: []string{}})
		if errors.Is(err, syscall.EAGAIN) && strings.Contains(err.Error(), "RLIMIT_NPROC") {
			s.t.Skipf("after %d children: %v", len(s.procs), err)
		}
		must(s.t, err)
		s.procs = append(s.procs, p)
	}
	s.t.Logf("%d children started: %v each", n, time.Since(begin)/time.Duration(n))
}

// check compares what is in use with what was before. What many children have in
// common weighs on few of them: below a thousand, memory is not judged.
func (s *scale) check(what string, now footprint, bytes int) {
	n := len(s.procs)
	heap, host, keeper := (now.heap-s.before.heap)/n, (now.hostRSS-s.before.hostRSS)/n, (now.keeperRSS-s.before.keeperRSS)/n
	s.t.Logf("%d %s: %d bytes of host memory each (%d resident), %d of keeper memory; threads: host %d (%d before), keeper %d (%d before); %d descriptors of the host",
		n, what, heap, host, keeper, now.hostThreads, s.before.hostThreads, now.keeperThreads, s.before.keeperThreads, now.files)
	if now.hostThreads > s.before.hostThreads+scaleThreads || now.keeperThreads > s.before.keeperThreads+scaleThreads {
		s.t.Errorf("%s: threads grow with the children", what)
	}
	if n >= 1000 && (heap > bytes || host > bytes) && !raceEnabled {
		s.t.Errorf("%s: more than %d bytes each", what, bytes)
	}
}

// wait waits for each child, in a goroutine of its own.
func (s *scale) wait() {
	for _, p := range s.procs {
		s.waits.Go(func() {
			if st, err := p.Wait(); err != nil || st.Signal != syscall.SIGTERM {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.bad++
			}
		})
	}
}

// end ends every second child.
func (s *scale) end() {
	begin := time.Now()
	var ended []*host.Process
	for i := 0; i < len(s.procs); i += 2 {
		must(s.t, s.procs[i].Signal(syscall.SIGTERM))
		ended = append(ended, s.procs[i])
	}
	signalled := time.Since(begin)
	for _, p := range ended {
		wait(s.t, p, time.Minute)
	}
	s.t.Logf("%d of them ended one by one: %v each, of which %v for the signal", len(ended),
		time.Since(begin)/time.Duration(len(ended)), signalled/time.Duration(len(ended)))
}

// close has the host end the rest.
func (s *scale) close() {
	left := len(s.procs) - (len(s.procs)+1)/2
	begin := time.Now()
	must(s.t, s.host.Close())
	s.t.Logf("%d of them ended by Close: %v in all", left, time.Since(begin).Round(time.Millisecond))
	if forced := s.host.Forced(); len(forced) > 0 && !raceEnabled { // the race detector keeps a plugin from ending
		s.t.Errorf("had to be forced: %q", forced)
	}
	s.waits.Wait()
	if st := wait(s.t, s.first, time.Second); s.bad > 0 || st.Signal != syscall.SIGTERM {
		s.t.Errorf("%d of %d did not end by SIGTERM; the first: %v", s.bad, len(s.procs), st)
	}
}
