//go:build linux

package host_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// descriptorsHelper says which descriptors it has and what they are. What the
// Go runtime opens for itself is left out.
func descriptorsHelper(args []string) int {
	for fd := range 64 {
		target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err == nil && !strings.HasPrefix(target, "anon_inode:[event") && !strings.HasPrefix(target, "/sys/fs/cgroup/") {
			target, _, _ = strings.Cut(target, ":")
			fmt.Println(fd, target)
		}
	}
	return 0
}

// environHelper says its arguments and environment, quoted, and its open
// descriptors.
func environHelper(args []string) int {
	fmt.Printf("%q\n%q\n", args, os.Environ())
	return 0
}

func TestArgumentsAndEnvironmentByteForByte(t *testing.T) {
	h := open(t, host.Config{})
	args := []string{"", "a b", "\xff\xfe", "new\nline", "=", "--", "ünïcode", "$HOME", `"'\`}
	env := []string{"A=1", "A=2", "EMPTY=", "=odd", "novalue", "BYTES=\xff\x80", "NL=a\nb", "Z=last"}
	cmd := h.Command(helperproc.Path())
	cmd.Args = helperproc.Argv("environ", args...)
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	// os.Environ of the helper drops what it cannot see as a variable, so the
	// kernel's own view is looked at too.
	wantArgs := fmt.Sprintf("%q\n", args)
	if !strings.HasPrefix(string(out), wantArgs) {
		t.Errorf("arguments: got %s, want %s", out, wantArgs)
	}
	out, err = os.ReadFile(environOf(t, h, env))
	if want := strings.Join(env, "\x00") + "\x00"; err != nil || string(out) != want {
		t.Errorf("environment: got %q, want %q (%v)", out, want, err)
	}
	raw := h.Command("cat", "/proc/self/environ")
	raw.Env = []string{}
	if got, err := raw.Output(); err != nil || len(got) != 0 {
		t.Errorf("empty environment: got %q, %v", got, err)
	}
}

// environOf starts a child with the given environment by a Spec, which unlike a
// Cmd takes nothing out, and returns a file that has what it got.
func environOf(t *testing.T, h *host.Host, env []string) string {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "environ"))
	must(t, err)
	defer out.Close()
	p := start(t, h, spawn.Spec{Path: "cat", Args: []string{"cat", "/proc/self/environ"}, Env: env, Files: []*os.File{nil, out}})
	if s := wait(t, p, 10*time.Second); !s.Success() {
		t.Errorf("cat ended with %v", s)
	}
	return out.Name()
}

func TestEnvironmentIsTheHostsByDefault(t *testing.T) {
	t.Setenv("HATCHERY_TEST_MARK", "there")
	h := open(t, host.Config{})
	got, err := h.Command("cat", "/proc/self/environ").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(os.Environ(), "\x00") + "\x00"
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("(-host +child)\n%s", d)
	}
}

func TestDescriptorsAreExact(t *testing.T) {
	h := open(t, host.Config{})
	leaky, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0) // without O_CLOEXEC
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(leaky)
	late := open(t, host.Config{}) // its keeper was started with the leak
	extra, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer extra.Close()
	for _, h := range []*host.Host{h, late} {
		cmd := h.Command(helperproc.Path())
		cmd.Args = helperproc.Argv("descriptors")
		cmd.ExtraFiles = []*os.File{extra, nil, extra}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Split(strings.TrimSpace(string(out)), "\n")
		want := []string{"0 /dev/null", "1 pipe", "2 pipe", "3 /dev/zero", "5 /dev/zero"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
}

// TestUmaskThatClosesFolders starts under umasks that take from the owner what a
// folder needs. Nothing is closed to root.
func TestUmaskThatClosesFolders(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "hatchery-um-*") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	t.Setenv("XDG_RUNTIME_DIR", "")
	for _, mask := range []int{0o177, 0o477} {
		old := syscall.Umask(mask)
		defer syscall.Umask(old)
		out, err := open(t, host.Config{}).Command("sh", "-c", "umask").Output()
		if want := fmt.Sprintf("%04o\n", mask); err != nil || string(out) != want {
			t.Errorf("umask %#o: %q, %v, want %q", mask, out, err, want)
		}
	}
}

// TestInheritedIsOfTheMoment changes what children inherit after the host was
// opened.
func TestInheritedIsOfTheMoment(t *testing.T) {
	h := open(t, host.Config{})
	show := func() string {
		t.Helper()
		out, err := h.Command("sh", "-c", "pwd -P; umask; ulimit -Sn; ulimit -Sc").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	show()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	defer syscall.Umask(syscall.Umask(0o031))
	var nofile, core syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &nofile)
	syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &nofile)
	defer syscall.Setrlimit(syscall.RLIMIT_CORE, &core)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 777, Max: nofile.Max}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1024, Max: core.Max}); err != nil {
		t.Fatal(err)
	}
	if got, want := show(), dir+"\n0031\n777\n2\n"; got != want {
		t.Errorf("child: %q, want %q", got, want)
	}
}

// TestSoftLimitIsTheStarts looks for the limit that the Go runtime raises.
func TestSoftLimitIsTheStarts(t *testing.T) {
	out, err := runUnder(t, "ulimit -Sn 321", "embed", "limit")
	if err != nil || out != "321\n" {
		t.Errorf("child's soft limit of descriptors: %q, %v; want 321", out, err)
	}
}

func TestSpecFields(t *testing.T) {
	h := open(t, host.Config{})
	mask := uint32(0o026)
	p := start(t, h, sh("sleep 100"))
	defer p.Kill()
	tests := []struct {
		name   string
		change func(*spawn.Spec)
		script string
		want   string
	}{
		{"group", func(s *spawn.Spec) { s.Group = spawn.NewGroup }, `set -- $(cat /proc/$$/stat); [ $1 = $5 ] && echo own`, "own\n"},
		{"session", func(s *spawn.Spec) { s.Session = true }, `set -- $(cat /proc/$$/stat); [ $1 = $6 ] && echo own`, "own\n"},
		{"umask", func(s *spawn.Spec) { s.Umask = &mask }, `umask`, "0026\n"},
		{"ignore", func(s *spawn.Spec) { s.Ignore = []syscall.Signal{syscall.SIGHUP} }, `grep SigIgn /proc/$$/status`, "SigIgn:\t0000000000000001\n"},
		{"default", func(s *spawn.Spec) {}, `grep -E 'Sig(Ign|Blk)' /proc/self/status`, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"},
		{"no new privileges", func(s *spawn.Spec) { s.NoNewPrivs = true }, `grep NoNewPrivs /proc/self/status`, "NoNewPrivs:\t1\n"},
		{"dir", func(s *spawn.Spec) { s.Dir = "/usr" }, `pwd -P`, "/usr\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := h.Command("sh", "-c", tt.script)
			tt.change(&cmd.Spec)
			cmd.Dir = cmd.Spec.Dir
			out, err := cmd.Output()
			if err != nil || string(out) != tt.want {
				t.Errorf("child: %q, %v; want %q", out, err, tt.want)
			}
		})
	}
}

func TestGroupIsTheHostsByDefault(t *testing.T) {
	h := open(t, host.Config{})
	out, err := h.Command("sh", "-c", `set -- $(cat /proc/$$/stat); echo $5 $6`).Output()
	if err != nil {
		t.Fatal(err)
	}
	sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	if want := fmt.Sprintf("%d %d\n", syscall.Getpgrp(), sid); string(out) != want {
		t.Errorf("group and session %q, want %q", out, want)
	}
}

// TestInheritedChangesOfTheHost changes a helper in ways that a test binary
// could not undo.
func TestInheritedChangesOfTheHost(t *testing.T) {
	tests := map[string]struct{ root bool }{
		"nice": {}, "affinity": {}, "oom": {}, "nnp": {}, "identity": {root: true}, "groups": {root: true}, "capabilities": {root: true},
	}
	for what, tt := range tests {
		if tt.root && os.Getuid() != 0 {
			continue
		}
		out := helperOutput(t, "change", what)
		if strings.HasPrefix(out, "change: "+syscall.ENOTSUP.Error()) {
			t.Logf("%s: not tried: a program with cgo cannot change all of its threads", what)
			continue
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) != 2 || lines[0] != lines[1] || lines[0] == "" {
			t.Errorf("%s: a child by os/exec and one by the host say\n%s", what, out)
		}
	}
}

// changeHelper opens a host, changes itself, and has a child by os/exec and
// one by the host say what they see.
func changeHelper(args []string) int {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer h.Close()
	if err := h.Command("true").Run(); err != nil {
		fmt.Println(err)
		return 1
	}
	script := map[string]string{
		"nice": "nice", "affinity": "grep Cpus_allowed_list /proc/self/status", "oom": "cat /proc/self/oom_score_adj",
		"nnp": "grep NoNewPrivs /proc/self/status", "identity": "id",
		"groups": "id", "capabilities": "echo $(grep -E 'Cap(Inh|Prm|Eff)' /proc/self/status)",
	}[args[0]]
	if err := change(args[0]); err != nil {
		fmt.Println("change:", err)
		return 0
	}
	direct, err := exec.Command("sh", "-c", script).Output()
	fmt.Print(string(direct))
	if err != nil {
		fmt.Println(err)
	}
	ours, err := h.Command("sh", "-c", script).Output()
	fmt.Print(string(ours))
	if err != nil {
		fmt.Println(err)
	}
	return 0
}
