package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A server of another user is not called, wherever it is.
func TestKeepPlanted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else as well")
	}
	base := keepFolder(t)
	result(t, hatchery(t, kept(nil, "look")...))
	sockets, _ := filepath.Glob(filepath.Join(base, "*", "keep-*"))
	if len(sockets) != 1 {
		t.Fatal(sockets)
	}
	server := theServer(t, base)
	syscall.Kill(server, syscall.SIGTERM)
	gone(t, server)
	path := filepath.Join(base, "1-1", filepath.Base(sockets[0]))
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	calls := squat(t, path)
	out, stderr, code := result(t, hatchery(t, kept(nil, "look")...))
	if code != codeFailed || out != "" || !strings.Contains(stderr, "is of user 65534, not 0") {
		t.Errorf("a socket of another user: exit code %d: %s%s", code, out, stderr)
	}
	if n := calls(); n != 0 {
		t.Errorf("it was sent %d bytes", n)
	}
	// In a folder that is another user's it is not even looked at.
	if err := os.Chown(base, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", filepath.Dir(base))
	_, stderr, code = result(t, hatchery(t, kept(nil, "look")...))
	if code != 7 {
		t.Errorf("a folder of another user: exit code %d: %s", code, stderr)
	}
	own := filepath.Join(filepath.Dir(base), "hatchery-0")
	for _, pid := range servers(own) {
		syscall.Kill(pid, syscall.SIGTERM)
		gone(t, pid)
	}
	if err := os.RemoveAll(base); err != nil {
		t.Fatal(err)
	}
}

// squat listens on path as another user. It returns what tells how much was received.
func squat(t *testing.T, path string) (received func() int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("a-squatter", path)
	cmd.Stdin, cmd.Stdout = r, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	out.Close()
	lines := bufio.NewReader(in)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	return func() int {
		w.Close()
		line, err := lines.ReadString('\n')
		n, cerr := strconv.Atoi(strings.TrimSpace(line))
		if err := errors.Join(err, cerr, cmd.Wait(), in.Close()); err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// aSquatter listens as user 65534, until its input ends, and says how many bytes came.
func aSquatter() {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: os.Args[1]})
	}
	if err == nil {
		err = errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534), syscall.Listen(fd, 8))
	}
	if err != nil {
		panic(err)
	}
	total := make(chan int, 1)
	go func() {
		n := 0
		defer func() { total <- n }()
		c, _, err := syscall.Accept(fd)
		if err != nil {
			return
		}
		syscall.Write(c, append([]byte{65}, make([]byte, 15)...)) // a frame: that it is there
		n, _ = syscall.Read(c, make([]byte, 4096))
	}()
	fmt.Println("ready")
	io.ReadAll(os.Stdin)
	fmt.Println(max(0, <-total))
}
