package isolate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/internal/seccomp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// profile writes a file with an own filter and returns its path.
func profile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOwnFilters(t *testing.T) {
	h := openHost(t)
	code, err := seccomp.Assemble(seccomp.Filter{Default: seccomp.Allow, Rules: []seccomp.Rule{
		{Names: []string{"mkdir", "mkdirat"}, Action: seccomp.Errno(13)},
	}}, seccomp.Arch(runtime.GOARCH))
	if err != nil {
		t.Fatal(err)
	}
	const script = `mkdir /tmp/x 2>&1 | sed 's/.*: //'; unshare -U true && echo "the default profile does not count"`
	refuse := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}`
	for _, tt := range []struct {
		filter isolate.Filter
		want   string
	}{
		{isolate.FilterFile(profile(t, refuse)), "No space left on device\nthe default profile does not count\n"},
		{isolate.FilterProgram(profile(t, code)), "Permission denied\nthe default profile does not count\n"},
	} {
		c := shell(h, script)
		c.Spec.Options = isolate.Options{Seccomp: tt.filter}.List()
		c.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
		if out, err := c.CombinedOutput(); err != nil || string(out) != tt.want {
			t.Errorf("%s: %v, got %q, want %q", tt.filter, err, out, tt.want)
		}
	}
	kill := strings.Replace(refuse, `"SCMP_ACT_ERRNO", "errnoRet": 28`, `"SCMP_ACT_KILL_PROCESS"`, 1)
	p, err := shell(h, `exec mkdir /tmp/x`, "seccomp="+profile(t, kill)).Output()
	if err == nil || !strings.Contains(err.Error(), "bad system call") {
		t.Errorf("killing: %q, %v", p, err)
	}
}

// TestOwnFilterIsReadAgain: a profile that has changed counts for the next child.
func TestOwnFilterIsReadAgain(t *testing.T) {
	h := openHost(t)
	path := profile(t, `{"defaultAction": "SCMP_ACT_ALLOW"}`)
	run := func() error { return shell(h, `mkdir /tmp/x 2>/dev/null`, "seccomp="+path).Run() }
	if err := run(); err != nil {
		t.Fatal(err)
	}
	changed := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}`
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(); err == nil {
		t.Error("the old profile counts")
	}
}

func TestOwnFilterThatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		opt  string
		kind error
		want string
	}{
		{"seccomp=" + profile(t, "{\n\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"syscalls\": [\n{\"names\": [\"mkdri\"], \"action\": \"SCMP_ACT_KILL\"}]}"),
			spawn.ErrBadOption, `profile.json: bad option: line 4: syscalls[0]: there is no system call "mkdri"`},
		{"seccomp=" + profile(t, "{\n\"defaultAction\": }"), spawn.ErrBadOption, "not JSON: line 2"},
		{"seccomp=" + profile(t, `{"defaultAction": "SCMP_ACT_ERRNO"}`), spawn.ErrBadOption, "it refuses rt_sigprocmask and execve, without which no program starts"},
		{"seccomp=/nonexistent/x.json", os.ErrNotExist, "/nonexistent/x.json"},
		{"seccomp=" + dir, spawn.ErrBadOption, "want a regular file"},
		{"seccomp=bpf:" + profile(t, "abc"), spawn.ErrBadOption, "it has 3 bytes"},
	} {
		k, v, _ := strings.Cut(tt.opt, "=")
		_, err := isolate.New().Plan(context.Background(), &spawn.Spec{Path: "/bin/true", Options: []spawn.Option{{Key: k, Value: v}}})
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || spawn.AsError(err).Key != isolate.Key {
			t.Errorf("%s: %v, want %q", tt.opt, err, tt.want)
		}
	}
	h := openHost(t)
	err := shell(h, "true", "seccomp=bpf:"+profile(t, strings.Repeat("\xff", 8))).Run()
	if !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "the filter of system calls") {
		t.Errorf("a program that the kernel refuses: %v", err)
	}
}
