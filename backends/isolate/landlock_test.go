//go:build linux

package isolate_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// needsLandlock skips where the kernel's Landlock is older than an ABI.
func needsLandlock(t *testing.T, abi int) {
	t.Helper()
	if n, err := linux.LandlockABI(); n < abi {
		t.Skipf("needs ABI %d of Landlock: this kernel has %d, %v", abi, n, err)
	}
}

// programs are the rules that let a shell run what the host has.
func programs() []string {
	var opts []string
	for _, dir := range []string{"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/usr"} {
		if _, err := os.Stat(dir); err == nil {
			opts = append(opts, "landlock=exec:"+dir)
		}
	}
	return opts
}

func TestLandlockPaths(t *testing.T) {
	h := openHost(t)
	needsLandlock(t, 3)
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"data": 0o644, "other": 0o644, "run": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho ran\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	bind := "bind=" + dir + ":/tmp/a:b:rw"
	bind = strings.Replace(bind, "a:b", `a\:b`, 1) // a colon in a path needs no more in a rule
	for _, tt := range []struct {
		name, script string
		rules        []string
		want         string
	}{
		{"nothing else", `cat /etc/hostname 2>/dev/null || echo no; ls / 2>/dev/null || echo no; echo x >/tmp/y || echo no; cat "/tmp/a:b/data" || echo no`, nil, "no\nno\nno\nno\n"},
		{"its own devices and processes", `echo x >/dev/null; head -c 2 /dev/zero | wc -c; echo x >/dev/shm/y && cat /dev/shm/y; cat /proc/self/comm; echo 1000 >/proc/self/oom_score_adj && echo written`, nil, "2\nx\ncat\nwritten\n"},
		{"a file to read", `cd /tmp/a:b; grep -c . data; cat other || echo no; (: >>data) || echo no; ./run || echo no`, []string{"ro:/tmp/a:b/data"}, "2\nno\nno\nno\n"},
		{"a folder to read", `cd /tmp/a:b; ls; grep -c . other; (: >>data) || echo no; mkdir d || echo no; ./run || echo no`, []string{"ro:/tmp/a:b"}, "data\nother\nrun\n2\nno\nno\nno\n"},
		{"to write", `cd /tmp/a:b; echo x >new; cat new; mkdir d; mv new d/; rm -r d; ./run || echo no`, []string{"rw:/tmp/a:b"}, "x\nno\n"},
		{"to execute", `cd /tmp/a:b; ./run; (: >>data) || echo no`, []string{"exec:/tmp/a:b"}, "ran\nno\n"},
		{"to write and execute", `cd /tmp/a:b; cp run own; ./own; rm own`, []string{"exec:/tmp/a:b", "rw:/tmp/a:b"}, "ran\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := append(programs(), bind)
			for _, r := range tt.rules {
				opts = append(opts, "landlock="+r)
			}
			c := shell(h, "exec 2>/dev/null; "+tt.script, opts...)
			if out, err := c.Output(); err != nil || string(out) != tt.want {
				t.Errorf("%v\n got %q\nwant %q", err, out, tt.want)
			}
		})
	}
}

func TestLandlockRefusesTheProgram(t *testing.T) {
	h := openHost(t)
	needsLandlock(t, 3)
	if err := shell(h, "true", "landlock=ro:/usr").Run(); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a program that no rule lets execute: %v", err)
	}
	if err := shell(h, "true", append(programs(), "landlock=ro:/tmp/nowhere")...).Run(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "Landlock is to allow access to /tmp/nowhere") {
		t.Errorf("a path that is not in the sandbox: %v", err)
	}
}

// TestLandlockPorts connects to two ports of the host, of which one is allowed,
// and binds.
func TestLandlockPorts(t *testing.T) {
	h := openHost(t)
	needsLandlock(t, 4)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	var ports []any
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	script := fmt.Sprintf(`import socket
def tried(how, port):
    try:
        getattr(socket.socket(), how)(("127.0.0.1", port))
        return "yes"
    except PermissionError:
        return "no"
    except OSError: # another has the port
        return "yes"
print(tried("connect", %d), tried("connect", %d), tried("bind", 0), tried("bind", 54321))`, ports...)
	for _, tt := range []struct{ rule, want string }{
		{fmt.Sprintf("connect:%d", ports[0]), "yes no no no\n"},
		{fmt.Sprintf("connect:%d", ports[1]), "no yes no no\n"},
		{"bind:0", "no no yes no\n"},
		{"scope", "yes yes yes yes\n"},
	} {
		c := shell(h, "", "net=host", "landlock="+tt.rule)
		c.Path, c.Args = python, []string{"python3", "-c", script}
		if out, err := c.CombinedOutput(); err != nil || string(out) != tt.want {
			t.Errorf("%s: %v, got %q, want %q", tt.rule, err, out, tt.want)
		}
	}
}

// TestLandlockScope: in the host's network the host's abstract sockets are out of
// reach, those of the sandbox are not.
func TestLandlockScope(t *testing.T) {
	h := openHost(t)
	needsLandlock(t, 6)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	name := fmt.Sprintf("@hatchery-test-%d", os.Getpid())
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	script := fmt.Sprintf(`import os, socket
def tried(name):
    try:
        socket.socket(socket.AF_UNIX).connect("\0" + name)
        return "yes"
    except PermissionError:
        return "no"
own = socket.socket(socket.AF_UNIX)
own.bind("\0%[1]s-own")
own.listen()
os.kill(os.getpid(), 0)
print(tried("%[1]s"), tried("%[1]s-own"))`, name[1:])
	for _, tt := range []struct {
		opts []string
		want string
	}{
		{[]string{"net=host"}, "no yes\n"},
		{[]string{"net=host", "landlock=connect:1"}, "no yes\n"},
		{[]string{"net=host", "landlock=scope"}, "no yes\n"},
		{[]string{"net=host", "landlock=off"}, "yes yes\n"},
	} {
		c := shell(h, "", tt.opts...)
		c.Path, c.Args = python, []string{"python3", "-c", script}
		if out, err := c.CombinedOutput(); err != nil || string(out) != tt.want {
			t.Errorf("%q: %v, got %q, want %q", tt.opts, err, out, tt.want)
		}
	}
}
