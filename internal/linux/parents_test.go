//go:build linux

package linux

import (
	"os"
	"os/exec"
	"testing"
)

func TestParents(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 600 & echo; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	out.Read(make([]byte, 1)) // the sleep is there
	below := Children(cmd.Process.Pid)
	if len(below) != 1 {
		t.Fatalf("children %v", below)
	}
	defer func() { p, _ := os.FindProcess(below[0]); p.Kill() }()
	parents, ok := Parents(map[int]bool{cmd.Process.Pid: true})
	if !ok {
		t.Skip("not all processes can be seen here")
	}
	if !parents[cmd.Process.Pid] {
		t.Error("the shell has a child")
	}
	if parents[below[0]] {
		t.Error("its child has none")
	}
	parents, _ = Parents(map[int]bool{below[0]: true})
	if parents[cmd.Process.Pid] {
		t.Error("the only child is known")
	}
}
