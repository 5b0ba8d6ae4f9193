package keeper

import (
	"testing"
	"time"
)

// A keeper's table of descriptors is enlarged for the third child, and not
// before: a host that starts one short program would wait for it at the end.
func TestTableGrowsForManyChildren(t *testing.T) {
	c := newClient(t)
	pid := c.Pid()
	for range fewBirths - 1 {
		waitExit(t, launchIt(t, c, shell(t, "exit 0")))
	}
	<-time.After(10 * completeTime) // that nothing happens is no event
	if n := statusNumber(t, pid, "FDSize"); n >= tableSize {
		t.Errorf("FDSize %d after %d children", n, fewBirths-1)
	}
	waitExit(t, launchIt(t, c, shell(t, "exit 0")))
	for deadline := time.Now().Add(10 * time.Second); statusNumber(t, pid, "FDSize") < tableSize; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("FDSize %d after %d children", statusNumber(t, pid, "FDSize"), fewBirths)
		}
	}
}
