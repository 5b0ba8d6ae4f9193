package actor_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestAWaitingActorIsSmall measures what each of ten workers takes that have said
// hello and wait to be told what to be: their proportional set sizes. A worker that
// links nothing but this package is below a megabyte; this test's program links
// the tests as well, and the bound is generous for that. What the race
// detector needs is another matter.
func TestAWaitingActorIsSmall(t *testing.T) {
	const count, most = 10, 3 << 10 // KB
	var all []*rawChild
	for range count {
		c := parked(t)
		all = append(all, c)
	}
	for _, c := range all {
		<-c.hello
	}
	sum := 0
	for _, c := range all {
		sum += pss(t, c.cmd.Process.Pid)
	}
	t.Logf("%d KB each", sum/count)
	if sum > count*most && !raceEnabled {
		t.Errorf("a worker that waits takes %d KB, want %d at most", sum/count, most)
	}
}

// pss returns the proportional set size of a process, in KB.
func pss(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); {
		if fields := strings.Fields(in.Text()); fields[0] == "Pss:" {
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("process %d has no proportional set size", pid)
	return 0
}
