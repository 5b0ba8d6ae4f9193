package backendtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func hostCases() []Case {
	return []Case{{
		Name: "host-gone",
		Doc: "When the host is killed by SIGKILL, nothing of it stays: the plugin ends, a child that ignores SIGTERM ends, wherever it runs, " +
			"and so does a daemon that it has left behind. Nobody is there who could tell them to.",
		Needs: []Ability{Plugin, Programs},
		Run:   hostGone,
	}}
}

// hostName is argv[0] of this program as the host of the case host-gone. The second
// argument has a program of tests that does not know that do nothing.
const hostName, hostFlag = "hatchery-backendtest-host", "-test.run=^$"

// A doomed host has one child.
type doomed struct {
	Key, Path string
	Spec      spawn.Spec
}

// BeHost makes a process that the kit has started into the host that the case
// host-gone kills. Then ok is true, and the process exits with the code. [Main] calls
// it; a program that runs cases without Main does so after host.Init, or skips that
// case.
func BeHost() (code int, ok bool) {
	if len(os.Args) != 3 || os.Args[0] != hostName || os.Args[1] != hostFlag {
		return 0, false
	}
	if err := beHost(os.Args[2]); err != nil {
		fmt.Printf("error: %v\n", err)
		return 1, true
	}
	return 0, true
}

func beHost(role string) error {
	var d doomed
	if err := json.Unmarshal([]byte(role), &d); err != nil {
		return err
	}
	s := Served(registry.Entry{Key: registry.SpawnMethodKey(d.Key), Path: d.Path})
	if d.Path == "" { // host.Init was given it
		s.entry.Serve = func() int { return 1 }
	}
	h, err := s.openHost()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d.Spec.Files = []*os.File{nil, os.NewFile(3, "leash")}
	if _, err := h.StartMethod(ctx, d.Key, d.Spec); err != nil {
		return err
	}
	fmt.Println("plugin:", pluginsBelow(os.Getpid(), &Env{Host: h, subject: s}))
	io.Copy(io.Discard, os.Stdin) // until whoever started it is gone
	return h.Close()
}

const doomedScript = `trap '' TERM; [ -z "$1" ] || exec 9>"$1"; (sleep 60 &); echo up; while :; do sleep 60; done`

func hostGone(t T, e *Env) {
	l := newLeash(t)
	fifo, path := e.witness(t)
	d := doomed{Key: e.Key(), Path: e.subject.entry.Path, Spec: e.options.settled(sh(doomedScript, path))}
	role, err := json.Marshal(d)
	if err != nil {
		t.Fatalf("%v", err)
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{hostName, hostFlag, string(role)}, ExtraFiles: []*os.File{l.theirs}}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting a host: %v", err)
	}
	stop := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	said, _ := bufio.NewReader(stdout).ReadString('\n')
	plugins, ok := strings.CutPrefix(said, "plugin: ")
	if ok {
		l.line(t) // the child is up
	}
	stop.Stop()
	cmd.Process.Kill()
	cmd.Wait()
	if text, failed := strings.CutPrefix(said, "error: "); failed {
		t.Fatalf("a host in a process of its own: %s", text)
	} else if !ok {
		t.Skipf("the program that runs this case cannot be a host of its own: its main does not call backendtest.BeHost")
	}
	l.theirs.Close()
	drained(t, l.ours, "a child of a host that was killed, or what it has left behind")
	if fifo != nil {
		drained(t, fifo, "what ran elsewhere for a host that was killed")
	}
	for _, word := range strings.Fields(strings.Trim(plugins, "[]\n")) {
		pid, _ := strconv.Atoi(word)
		ended(t, pid, "the plugin of a host that was killed")
	}
}

// witness returns a named pipe that ends when nobody has it open any more, and its
// path, for children that cannot be given descriptors of this process. There is none
// for those who can.
func (e *Env) witness(t T) (fifo *os.File, path string) {
	t.Helper()
	if e.Has(Local) {
		return nil, ""
	}
	path = filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatalf("a named pipe: %v", err)
	}
	fifo, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatalf("a named pipe: %v", err)
	}
	t.Cleanup(func() { fifo.Close() })
	return fifo, path
}

// drained holds that some time nobody has the other end of a pipe any more.
func drained(t T, pipe *os.File, what string) {
	t.Helper()
	pipe.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, pipe); err != nil {
		t.Errorf("%s: %v later it is still there", what, patience)
	}
}
