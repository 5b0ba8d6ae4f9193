//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// patience bounds what must happen some time.
const patience = 20 * time.Second

func openHost(t *testing.T) *host.Host {
	t.Helper()
	r, err := registry.New(sdk.Entry(new(backend)))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(host.Config{Registry: r, Method: "ssh"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func (s *sshd) spec(script string, args ...string) spawn.Spec {
	return spawn.Spec{Path: "/bin/sh", Args: append([]string{"sh", "-c", script, "sh"}, args...), Options: s.options()}
}

func start(t *testing.T, h *host.Host, spec spawn.Spec) *host.Process {
	t.Helper()
	p, err := h.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// await waits for the end of a child, but not for ever.
func await(t *testing.T, p *host.Process) spawn.ExitStatus {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatalf("it has not ended after %v", patience)
	}
	st, err := p.Wait()
	if err != nil && st.Source != spawn.Lost {
		t.Error(err)
	}
	return st
}

// output runs a child and returns what it has written.
func output(t *testing.T, h *host.Host, spec spawn.Spec) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec.Files = []*os.File{nil, w, w}
	p := start(t, h, spec)
	w.Close()
	r.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	if st := await(t, p); !st.Success() {
		t.Errorf("%v: %s", st, b)
	}
	return string(b)
}

// everyByte has all that a string for execve(2) can have.
func everyByte(except string) string {
	var b []byte
	for c := 1; c < 256; c++ {
		if strings.IndexByte(except, byte(c)) < 0 {
			b = append(b, byte(c))
		}
	}
	return string(b)
}

func TestWhatAChildIsGiven(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t), openHost(t)
	dir := filepath.Join(t.TempDir(), everyByte("/\n"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	odd := []string{"", everyByte(""), "a b", "--", "-c", "$HOME `x` $(x)", "%b\\n", strings.Repeat("x", 100_000), "\n", ""}
	spec := s.spec("cat /proc/$$/cmdline; :", odd...)
	spec.Args[0] = everyByte("")
	if got, want := output(t, h, spec), strings.Join(spec.Args, "\x00")+"\x00"; got != want {
		t.Errorf("arguments %q, want %q", got, want)
	}
	spec = s.spec("cat /proc/$$/environ; :")
	spec.Env = []string{"PATH=/usr/bin:/bin", "EMPTY=", "B=" + everyByte(""), "a.b-c d=1", "LC_ALL=xx_YY", "PERL5OPT=-Mno", "BASH_FUNC_x%%=() {"}
	want := slices.Sorted(slices.Values(spec.Env))
	got := strings.Split(strings.TrimSuffix(output(t, h, spec), "\x00"), "\x00")
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("environment %q, want %q", got, want)
	}
	spec.Env = []string{}
	if got := output(t, h, spawn.Spec{Path: "/usr/bin/env", Env: spec.Env, Options: s.options()}); got != "" {
		t.Errorf("an empty environment: %q", got)
	}
	spec = s.spec("pwd; cat /proc/$$/stat | cut -d' ' -f5; echo $$; umask; ls /proc/$$/fd; :")
	mask := uint32(0o137)
	spec.Dir, spec.Umask = dir, &mask
	lines := strings.Split(output(t, h, spec), "\n")
	if len(lines) < 5 || lines[0] != dir || lines[1] != lines[2] || !slices.Equal(lines[3:], []string{"0137", "0", "1", "2", ""}) {
		t.Errorf("directory, group, process, umask, descriptors: %q", lines)
	}
	login := output(t, h, s.spec(`echo "$HOME ${PERL_BADLANG-}"; [ /proc/$$/fd/0 -ef /dev/null ]`))
	if login != s.dir+" \n" { // which the host's is not
		t.Errorf("an environment that is left open: %q", login)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t), openHost(t)
	for name, env := range map[string][]string{"twice": {"A=1", "A=2"}, "no name": {"=1"}, "no value": {"A"}} {
		spec := s.spec(":")
		spec.Env = env
		if _, err := h.Start(t.Context(), spec); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: %v, want EINVAL", name, err)
		}
	}
	for path, want := range map[string]error{"/no/such/program": fs.ErrNotExist, "/etc/passwd": fs.ErrPermission, "no-such-program": fs.ErrNotExist} {
		_, err := h.Start(t.Context(), spawn.Spec{Path: path, Options: s.options()})
		if e := spawn.AsError(err); !errors.Is(err, want) || e.Phase != spawn.PhaseExec || e.Path != path {
			t.Errorf("%s: %v (%+v), want %v", path, err, e, want)
		}
	}
	_, err := h.Start(t.Context(), spawn.Spec{Path: "/bin/sh", Dir: "/no/such/folder", Options: s.options()})
	if e := spawn.AsError(err); !errors.Is(err, fs.ErrNotExist) || e.Phase != spawn.PhaseSetup || e.Path != "/no/such/folder" {
		t.Errorf("a missing directory: %v (%+v)", err, e)
	}
	spec := s.spec(":")
	write(t, s.path("known_hosts"), "")
	if _, err := openHost(t).Start(t.Context(), spec); !errors.Is(err, spawn.ErrUnavailable) || !strings.Contains(err.Error(), "verification failed") {
		t.Errorf("a host that nobody knows: %v", err)
	}
}

// A login shell may say something before it does what it is told.
func TestANoisyShell(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t), openHost(t)
	write(t, s.path(".bashrc"), "echo welcome; echo welcome >&2\n")
	if st := await(t, start(t, h, s.spec("exit 5"))); st.Code != 5 {
		t.Errorf("%v, want 5", st)
	}
}

// More children than an sshd allows on one connection, which it says itself.
func TestACrowd(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t, "MaxSessions 4"), openHost(t)
	hold, release, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer release.Close()
	var all []*host.Process
	for n := range 8 {
		spec := s.spec(fmt.Sprintf("read x; exit %d", n))
		spec.Files = []*os.File{hold}
		all = append(all, start(t, h, spec))
	}
	hold.Close()
	if n := len(s.connections()); n != 3 {
		t.Errorf("%d connections for 8 children of 3 each, want 3", n)
	}
	release.Close()
	for n, p := range all {
		if st := await(t, p); st.Code != n || st.Source != spawn.FromBackend {
			t.Errorf("child %d: %+v", n, st)
		}
	}
}

// Whoever reads late reads everything: the end of a child is told behind its output.
func TestALateReader(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t), openHost(t)
	const size = 1 << 20
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	end := s.fifo(t)
	spec := s.spec(fmt.Sprintf("exec 9>%s; head -c %d /dev/zero", end.Name(), size))
	spec.Files = []*os.File{nil, w}
	p := start(t, h, spec)
	w.Close()
	gone(t, end, "the program")
	select {
	case <-p.Done():
		t.Error("its end was told before its output had been read")
	default:
	}
	h256 := sha256.New()
	r.SetReadDeadline(time.Now().Add(patience))
	if n, err := io.Copy(h256, r); n != size || err != nil {
		t.Errorf("%d bytes, %v; want %d", n, err, size)
	}
	if want := sha256.Sum256(make([]byte, size)); !bytes.Equal(h256.Sum(nil), want[:]) {
		t.Error("the output is not what was written")
	}
	if st := await(t, p); !st.Success() {
		t.Error(st)
	}
}
