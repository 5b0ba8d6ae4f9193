//go:build linux

package keeper

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	if err := linux.CloseOnExecFrom(3); err != nil {
		panic(err)
	}
	if os.Getenv("KEEPER_TEST_HELPER") == "host" {
		hostHelper()
		return
	}
	os.Exit(m.Run())
}

// hostHelper is a host that starts children, says their pids, and waits to be
// killed.
func hostHelper() {
	c, err := Start(Config{Folder: os.Getenv("KEEPER_TEST_FOLDER")})
	if err != nil {
		panic(err)
	}
	r, w, _ := os.Pipe()
	plan, _ := spawn.Standard(&spawn.Spec{}).AppendBinary(nil)
	script := `echo $$; trap "" TERM; (setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 100; done' &); while :; do sleep 100; done`
	for range 2 {
		l := &Launch{Plan: plan, Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Files: []int{1}, FDs: []int{int(w.Fd())}}
		if _, err := c.Launch(context.Background(), l, func(Exit) {}); err != nil {
			panic(err)
		}
	}
	in := bufio.NewReader(r)
	fmt.Print(c.Pid())
	for range 4 {
		line, _ := in.ReadString('\n')
		fmt.Print(" ", line[:len(line)-1])
	}
	fmt.Println()
	select {}
}

type helperProcess struct {
	cmd    *os.Process
	out    *bufio.Reader
	folder string
}

func helper(t *testing.T, name string) *helperProcess {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	folder := t.TempDir() + "/runtime"
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := os.StartProcess("/proc/self/exe", []string{"keeper.test"}, &os.ProcAttr{
		Env:   append(os.Environ(), "KEEPER_TEST_HELPER="+name, "KEEPER_TEST_FOLDER="+folder),
		Files: []*os.File{nil, w, os.Stderr},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); p.Wait(); r.Close() })
	return &helperProcess{p, bufio.NewReader(r), folder}
}

func (h *helperProcess) line(t *testing.T) string {
	t.Helper()
	s, err := h.out.ReadString('\n')
	if err != nil {
		t.Fatal("helper: ", err)
	}
	return s
}
