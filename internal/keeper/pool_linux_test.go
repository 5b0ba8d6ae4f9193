package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// networked is a child with a network namespace of its own, and a process 1, that
// says what its namespace is called, and leaves a mark there.
func networked(t *testing.T, w *os.File) *Launch {
	const mark = "/proc/sys/net/ipv4/ip_default_ttl"
	l := jailed(t, "echo $(readlink /proc/self/ns/net) $(cat "+mark+"); echo 77 >"+mark, w, w)
	p := new(spawn.Plan)
	if err := p.UnmarshalBinary(l.Plan); err != nil {
		t.Fatal(err)
	}
	p.Steps[0] = spawn.Clone(syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET)
	l.Plan = encode(t, p)
	return l
}

// pooled returns the network namespaces that a keeper holds for later children.
func pooled(t *testing.T, c *Client) (names []string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", c.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name, err := os.Readlink(file); err == nil && strings.HasPrefix(name, "net:") {
			names = append(names, name)
		}
	}
	return names
}

// awaitPool waits until the keeper holds no namespaces.
func awaitPool(t *testing.T, c *Client) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
		if len(pooled(t, c)) == 0 {
			return
		}
	}
	t.Fatalf("the keeper holds %q", pooled(t, c))
}

// TestPool: children that come one after the other get namespaces that were there
// before, each its own, and those that nobody wants are let go of.
func TestPool(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	one := func() string {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		s := launchIt(t, c, networked(t, w))
		if st := s.wait(t, 10*time.Second); !st.Success() {
			t.Fatal(st)
		}
		b := make([]byte, 100)
		n, err := r.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		name, mark, _ := strings.Cut(strings.TrimSpace(string(b[:n])), " ")
		if mark != "64" {
			t.Errorf("%s was another child's: it has %q", name, mark)
		}
		return name
	}
	if len(pooled(t, c)) > 0 {
		t.Error("something is ready for nobody")
	}
	one()
	one()
	hits := 0
	for range 20 {
		ready := pooled(t, c)
		for end := time.Now().Add(poolTime); len(ready) == 0 && time.Now().Before(end); <-time.After(time.Millisecond) {
			ready = pooled(t, c)
		}
		if strings.Contains(strings.Join(ready, " "), one()) {
			hits++
		}
	}
	if hits < 5 { // one may be made, or let go of, after the look
		t.Errorf("%d of 20 children had what was ready", hits)
	}
	if n := len(pooled(t, c)); n > poolSize {
		t.Errorf("%d are ready", n)
	}
	awaitPool(t, c)
}

// TestPoolOfMany: so it is with many at a time, and nobody is told of a process
// that was none of his.
func TestPoolOfMany(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	l := networked(t, null)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				ended := make(chan Exit, 1)
				s, err := c.Launch(t.Context(), l, func(e Exit) { ended <- e })
				if err != nil {
					t.Error(err)
					return
				}
				if e := <-ended; !e.Status.Success() || e.Left {
					t.Errorf("%+v", e)
				}
				syscall.Close(s.Pidfd)
			}
		})
	}
	all.Wait()
	awaitPool(t, c)
}
