//go:build linux

package keeper

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	if os.Getenv("KEEPER_TEST_HELPER") == "zygote" {
		zygoteHelper(os.Args[0])
	}
	actor.Park()
	if err := linux.CloseOnExecFrom(3); err != nil {
		panic(err)
	}
	switch os.Getenv("KEEPER_TEST_HELPER") {
	case "host":
		hostHelper()
		return
	case "child":
		os.Unsetenv("KEEPER_TEST_HELPER")
		warmHelper(os.Args[1:])
		return
	case "pids":
		pidsHelper()
		return
	case "nproc":
		nprocHelper()
		return
	case "room":
		roomHelper()
		return
	case "powerless":
		powerlessHelper()
		return
	case "mounts":
		mountsHelper()
		return
	case "hold":
		holdHelper()
		return
	case "full":
		fullHelper()
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
	asked := &Launch{Plan: plan, Path: "/bin/sh", Args: []string{"sh", "-c", `trap 'echo TERM >"$0-term"; exit' TERM; echo; while :; do sleep 0.01; done`, os.Getenv("KEEPER_TEST_FOLDER")}, Env: []string{"PATH=/usr/bin:/bin"}, Files: []int{1}, FDs: []int{int(w.Fd())}}
	if _, err := c.Launch(context.Background(), asked, func(Exit) {}); err != nil {
		panic(err)
	}
	in := bufio.NewReader(r)
	fmt.Print(c.Pid())
	for range 5 { // the empty line is that of the child with the trap
		line, _ := in.ReadString('\n')
		fmt.Print(" ", line[:len(line)-1])
	}
	fmt.Println()
	select {}
}

// fullHelper is a host that has no descriptor left when its child's arrives.
func fullHelper() {
	c, err := Start(Config{})
	if err != nil {
		panic(err)
	}
	plan, _ := spawn.Standard(&spawn.Spec{}).AppendBinary(nil)
	launch := func(script string) (int, error) {
		exit := make(chan Exit, 1)
		l := &Launch{Plan: plan, Path: "/bin/sh", Args: []string{"sh", "-c", script}}
		if _, err := c.Launch(context.Background(), l, func(e Exit) { exit <- e }); err != nil {
			return 0, err
		}
		return (<-exit).Status.Code, nil
	}
	launch("true") // what the runtime opens for itself is open now
	var hold []int
	for {
		fd, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		hold = append(hold, fd)
	}
	_, err = launch("sleep 100")
	var e *spawn.Error
	if errors.As(err, &e) && e.Retryable() {
		fmt.Printf("%s: %v\n", e.Op, e.Errno)
	} else {
		fmt.Println(err)
	}
	for _, fd := range hold {
		syscall.Close(fd)
	}
	code, err := launch("exit 3")
	fmt.Println("then", code)
	if err := c.Close(0, time.Second); err != nil {
		fmt.Println(err)
	}
}

type helperProcess struct {
	cmd    *os.Process
	out    *bufio.Reader
	folder string
}

func helper(t *testing.T, name string) *helperProcess {
	t.Helper()
	return helperWith(t, name, nil)
}

func helperWith(t *testing.T, name string, sys *syscall.SysProcAttr) *helperProcess {
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
		Sys:   sys,
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
