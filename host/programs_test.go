//go:build linux

package host_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// program returns the path of a program of the machine.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s: %v", name, err)
	}
	return path
}

// same runs a command here and by os/exec and compares what came out.
func same(t *testing.T, h *host.Host, dir string, argv ...string) {
	t.Helper()
	direct := exec.Command(argv[0], argv[1:]...)
	direct.Dir = dir
	want, wantErr := direct.CombinedOutput()
	cmd := h.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	got, err := cmd.CombinedOutput()
	if !bytes.Equal(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("%q:\nhere    %q, %v\nos/exec %q, %v", argv, got, err, want, wantErr)
	}
}

func TestPython(t *testing.T) {
	python := program(t, "python3")
	h := open(t, host.Config{})
	same(t, h, "", python, "-c", "import os, sys, signal; print(sys.argv, os.getcwd(), os.umask(0), signal.getsignal(signal.SIGINT)); sys.exit(3)", "a", "ü")
	same(t, h, "", python, "-c", "import subprocess; print(subprocess.run(['echo', 'inner'], capture_output=True).stdout)")
	same(t, h, "", python, "-c", "raise SystemExit('words')")
}

func TestGCC(t *testing.T) {
	gcc := program(t, "gcc")
	h := open(t, host.Config{})
	dir := t.TempDir()
	source := "#include <stdio.h>\nint main(void) { puts(\"compiled\"); return 4; }\n"
	if err := os.WriteFile(filepath.Join(dir, "a.c"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := h.Command(gcc, "-O1", "-o", "a", "a.c")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	same(t, h, dir, "./a")
	same(t, h, dir, gcc, "-c", "missing.c")
}

func TestGitClone(t *testing.T) {
	git := program(t, "git")
	h := open(t, host.Config{})
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := h.Command(git, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("init", "-q", "-b", "main", "one")
	if err := os.WriteFile(filepath.Join(dir, "one", "file"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	run("-C", "one", "add", "file")
	run("-C", "one", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first")
	run("clone", "-q", "file://"+dir+"/one", "two") // by upload-pack, a child of its own
	if got := run("-C", "two", "log", "--format=%s"); got != "first\n" {
		t.Errorf("the clone's log is %q", got)
	}
}

// TestTar sends a gigabyte through tar's stdin and stdout.
func TestTar(t *testing.T) {
	tar := program(t, "tar")
	size := int64(1 << 30)
	if testing.Short() || raceEnabled {
		size = 64 << 20
	}
	h := open(t, host.Config{})
	dir := t.TempDir()
	big, err := os.Create(filepath.Join(dir, "big"))
	if err != nil {
		t.Fatal(err)
	}
	want := sha256.New()
	if _, err := io.Copy(io.MultiWriter(big, want), io.LimitReader(&pattern{}, size)); err != nil {
		t.Fatal(err)
	}
	big.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	pack := h.Command(tar, "-cf", "-", "-C", dir, "big")
	pack.Stdout = w
	if err := pack.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	got := sha256.New()
	unpack := h.Command(tar, "-xOf", "-")
	unpack.Stdin, unpack.Stdout = r, got
	if err := unpack.Run(); err != nil {
		t.Error("unpacking: ", err)
	}
	r.Close()
	if err := pack.Wait(); err != nil {
		t.Error("packing: ", err)
	}
	if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Error("what came out is not what went in")
	}
}

// TestPostgreSQL makes a cluster, starts the server, asks it something, and
// stops it by the signal it expects; as an ordinary user, because the server
// refuses to run as root.
func TestPostgreSQL(t *testing.T) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(bins) == 0 {
		t.Skip("needs a PostgreSQL server (Debian: postgresql)")
	}
	bin := filepath.Dir(bins[len(bins)-1])
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: 20 * time.Second}})
	dir, err := os.MkdirTemp("/tmp", "hatchery-pg-*") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var who *spawn.Credential
	if os.Getuid() == 0 {
		who = &spawn.Credential{UID: 65534, GID: 65534}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	data, port := filepath.Join(dir, "data"), freePort(t)
	command := func(name string, arg ...string) *host.Cmd {
		cmd := h.Command(filepath.Join(bin, name), arg...)
		cmd.Dir = dir
		cmd.Spec.Credential = who
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + dir}
		return cmd
	}
	if out, err := command("initdb", "-D", data, "-A", "trust", "-U", "owner", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	var log bytes.Buffer
	server := command("postgres", "-D", data, "-k", dir, "-p", port, "-h", "127.0.0.1", "-F")
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	query := func() (string, error) {
		out, err := command("psql", "-h", dir, "-p", port, "-U", "owner", "-d", "postgres", "-Atc", "select 6*7").CombinedOutput()
		return string(out), err
	}
	deadline, tick := time.Now().Add(30*time.Second), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	out, err := query()
	for err != nil && time.Now().Before(deadline) {
		<-tick.C // the server's readiness shows only by asking
		out, err = query()
	}
	if out != "42\n" || err != nil {
		t.Errorf("psql: %q, %v", out, err)
	}
	if err := server.Process.Signal(syscall.SIGINT); err != nil { // fast shutdown
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server ended with %v\n%s", err, log.String())
	}
	if !strings.Contains(log.String(), "database system is shut down") {
		t.Errorf("the server's log ends without its shutdown:\n%s", log.String())
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
