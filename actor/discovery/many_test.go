//go:build unix

package discovery_test

import (
	"sync"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

// TestManyConnections has more actors of this user connected to a registrar than
// there may be strangers.
func TestManyConnections(t *testing.T) {
	const many = discovery.MaxStrangers + 100
	if limit := openFiles(); limit < 2*many+200 {
		t.Skipf("it takes %d descriptors: the limit is %d", 2*many, limit)
	}
	leakcheck.Check(t)
	r := socket(t)
	here(t, &actor.Actor{Name: "registrar", UID: "0", Bind: []string{r}}, discovery.RegistrarEntry(discovery.Config{}))
	var all sync.WaitGroup
	places := make(chan struct{}, 8)
	for range many {
		c := client(t, r) // which keeps its connection until the test ends
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if _, err := c.List(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// openFiles is how many descriptors this process may have.
func openFiles() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return int(min(uint64(l.Cur), 1<<20))
}
