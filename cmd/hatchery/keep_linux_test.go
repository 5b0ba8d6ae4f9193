package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// aWorker is a program that waits until it is told what to be: TestMain has parked.
func aWorker() {
	say := func(v ...any) { fmt.Println(v...) }
	switch args := os.Args[1:]; args[0] {
	case "look":
		dir, _ := os.Getwd()
		mask := syscall.Umask(0)
		var core, files syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
		in, _ := io.ReadAll(os.Stdin)
		say(strings.Join(args, "|"), dir, fmt.Sprintf("%03o", mask), core.Cur, files.Cur, os.Getenv("MARK"), string(in))
		os.Exit(7)
	case "stay": // the second line has what it has started
		say("ready", os.Getpid())
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		say("below", cmd.Process.Pid)
		select {}
	case "deaf":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		say("ready", os.Getpid())
		select {}
	case "daemon": // the usual double fork
		out, err := exec.Command("sh", "-c", `setsid sh -c 'echo $$; exec sleep 1000 >&- 2>&-' &`).Output()
		say("daemon", strings.TrimSpace(string(out)), err)
	case "size":
		changes := make(chan os.Signal, 1)
		signal.Notify(changes, syscall.SIGWINCH)
		for {
			size, err := host.TerminalSizeOf(os.Stdin)
			say("size", size.Rows, size.Columns, err)
			<-changes
		}
	case "read":
		say("ready", os.Getpid())
		io.ReadAll(os.Stdin)
	}
}

// keepFolder gives the test a place for servers of its own, which are ended with it. It
// returns the folder that their runtime folders are in.
func keepFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "k")
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(dir, "hatchery")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Cleanup(func() {
		for _, pid := range servers(base) {
			syscall.Kill(pid, syscall.SIGTERM)
			gone(t, pid)
		}
		left, _ := filepath.Glob(filepath.Join(base, "*"))
		for _, path := range left {
			t.Errorf("%s is left", path)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return base
}

// servers returns the servers that have their sockets below base.
func servers(base string) (pids []int) {
	sockets, _ := filepath.Glob(filepath.Join(base, "*", "keep-*"))
	for _, path := range sockets {
		digits, _, _ := strings.Cut(filepath.Base(filepath.Dir(path)), "-")
		if pid, _ := strconv.Atoi(digits); alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// theServer returns the one server that there is.
func theServer(t *testing.T, base string) int {
	t.Helper()
	pids := servers(base)
	if len(pids) != 1 {
		t.Fatalf("servers %v, want one", pids)
	}
	return pids[0]
}

// kept returns the arguments of a call for a worker.
func kept(more []string, worker ...string) []string {
	args := append([]string{"run", "--spawn-backend", "forkserver", "--opt", "keep=1m"}, more...)
	return append(append(args, "--", "a-worker"), worker...)
}

// calls begins a call for a worker that does not end by itself, and returns its pid
// when the caller has been told of it. The worker may have begun before.
func calls(t *testing.T, more []string, worker ...string) (s *session, pid int) {
	t.Helper()
	s = begin(t, kept(more, worker...)...)
	pid = s.number("ready")
	dir, line := fmt.Sprintf("/proc/%d/fdinfo/", s.cmd.Process.Pid), fmt.Sprintf("Pid:\t%d\n", pid)
	eventually(t, func() bool {
		names, _ := os.ReadDir(dir)
		return slices.ContainsFunc(names, func(e os.DirEntry) bool {
			text, _ := os.ReadFile(dir + e.Name())
			return strings.Contains(string(text), line)
		})
	})
	return s, pid
}

// number returns the number that a line of a session ends with.
func (s *session) number(want string) int {
	s.t.Helper()
	n, err := strconv.Atoi(s.hears(want))
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// A call has what its caller has, and its child ends as it did.
func TestKeep(t *testing.T) {
	base := keepFolder(t)
	work := t.TempDir()
	var pid int
	for i := range 3 {
		report := filepath.Join(t.TempDir(), "report")
		cmd := hatchery(t, kept([]string{"--report", report, "--env", "MARK=m" + strconv.Itoa(i)}, "look", "a b", "", strconv.Itoa(i))...)
		// A shell sets what a Go program cannot set for its child alone.
		cmd.Args = append([]string{"sh", "-c", `umask 0` + strconv.Itoa(20+i) + `; ulimit -S -c ` + strconv.Itoa(i) + `; ulimit -S -n ` + strconv.Itoa(200+i) + `; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
		cmd.Path, cmd.Dir, cmd.Stdin = "/bin/sh", work, strings.NewReader("input "+strconv.Itoa(i))
		out, stderr, code := result(t, cmd)
		want := fmt.Sprintf("look|a b||%d %s 0%d %d %d m%d input %d\n", i, work, 20+i, i*512, 200+i, i, i)
		// How large a block of ulimit -c is depends on the shell.
		if out != want && out != strings.Replace(want, fmt.Sprintf(" %d ", i*512), fmt.Sprintf(" %d ", i*1024), 1) || code != 7 {
			t.Errorf("call %d: %q, exit code %d, want %q; %s", i, out, code, want, stderr)
		}
		var r report1
		text, err := os.ReadFile(report)
		if err != nil || json.Unmarshal(text, &r) != nil {
			t.Fatal(err, string(text))
		}
		if r.Start != "warm" || r.Exit.Code != 7 || r.Exit.Source != "kernel" || len(r.Leftovers) > 0 || r.Pid == pid {
			t.Errorf("report of call %d: %s", i, text)
		}
		pid = r.Pid
		if note := fmt.Sprintf("handed over in server %d", theServer(t, base)); !strings.Contains(strings.Join(r.Notes, "\n"), note) {
			t.Errorf("notes %q do not say %q", r.Notes, note)
		}
	}
}

// report1 is as much of a report as is looked at here.
type report1 struct {
	Start string
	Pid   int
	Exit  struct {
		Code   int
		Source string
	}
	Notes, Leftovers []string
}

// Without $XDG_RUNTIME_DIR the server is in a private folder below the temporary one.
func TestKeepInTheTemporaryFolder(t *testing.T) {
	dir := filepath.Dir(keepFolder(t))
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", dir)
	for range 2 {
		if _, stderr, code := result(t, hatchery(t, kept(nil, "look")...)); code != 7 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
	}
	server := theServer(t, filepath.Join(dir, "hatchery-"+strconv.Itoa(os.Geteuid())))
	syscall.Kill(server, syscall.SIGTERM)
	gone(t, server)
}

// A Python program has its modules from the first call on.
func TestKeepPython(t *testing.T) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("needs python3: ", err)
	}
	base := keepFolder(t)
	python := strings.TrimSpace(string(out))
	const program = `import os, sys; print(os.getppid(), "decimal" in sys.modules, os.getsid(0) == os.getpid()); sys.exit(9)`
	parents := map[string]bool{}
	for range 3 {
		cmd := hatchery(t, "run", "--spawn-backend", "forkserver", "--opt", "keep=1m", "--opt", "require=warm", "--opt", "preload=decimal", "--", python, "-c", program)
		out, stderr, code := result(t, cmd)
		parent, rest, _ := strings.Cut(out, " ")
		if parents[parent] = true; code != 9 || rest != "True True\n" {
			t.Fatalf("%q, exit code %d: %s", out, code, stderr)
		}
	}
	if len(parents) != 1 || linux.Children(theServer(t, base)) == nil {
		t.Errorf("the parents of the children are %v", parents)
	}
}

// Who calls at the same time has the same server, be it there or not.
func TestKeepCallsAtTheSameTime(t *testing.T) {
	base := keepFolder(t)
	var all sync.WaitGroup
	for range 6 {
		cmd := hatchery(t, kept(nil, "look")...)
		all.Go(func() {
			if _, stderr, code := result(t, cmd); code != 7 {
				t.Errorf("exit code %d: %s", code, stderr)
			}
		})
	}
	all.Wait()
	theServer(t, base)
}

// A server has nothing of the call that started it.
func TestKeepServerHoldsNothing(t *testing.T) {
	base := keepFolder(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := hatchery(t, kept(nil, "look")...)
	cmd.ExtraFiles = []*os.File{w, w, w}
	_, stderr, code := result(t, cmd)
	w.Close()
	if code != 7 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	r.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a descriptor of the call is still open: %v", err)
	}
	pid := theServer(t, base)
	dir := fmt.Sprintf("/proc/%d/", pid)
	for name, want := range map[string]string{"fd/0": os.DevNull, "fd/1": os.DevNull, "fd/2": os.DevNull, "cwd": "/"} {
		if got, err := os.Readlink(dir + name); got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	if st, err := linux.ReadStat(pid); st.Session != pid || st.Comm != "hatchery-server" {
		t.Errorf("process %d: %+v, %v", pid, st, err)
	}
}

// What differs from birth has a server of its own.
func TestKeepOthersHaveOtherServers(t *testing.T) {
	base := keepFolder(t)
	result(t, hatchery(t, kept(nil, "look")...))
	first := theServer(t, base)
	cmd := hatchery(t, kept(nil, "look")...)
	nice, err := exec.LookPath("nice")
	if err != nil {
		t.Skip("needs nice: ", err)
	}
	cmd.Path, cmd.Args = nice, append([]string{"nice", "-n", "3", cmd.Path}, cmd.Args[1:]...)
	if _, stderr, code := result(t, cmd); code != 7 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	pids := servers(base)
	if len(pids) != 2 {
		t.Fatalf("servers %v, want two", pids)
	}
	for _, pid := range pids {
		if want := map[bool]int{true: 0, false: 3}[pid == first]; linux.Nice(pid)-linux.Nice(os.Getpid()) != want {
			t.Errorf("server %d has the nice value %d", pid, linux.Nice(pid))
		}
	}
}

// What a child leaves behind ends with it, also a daemon of which nobody can tell
// whose it is.
func TestKeepDaemon(t *testing.T) {
	keepFolder(t)
	out, stderr, code := result(t, hatchery(t, kept(nil, "daemon")...))
	var pid int
	if _, err := fmt.Sscanf(out, "daemon %d <nil>", &pid); err != nil || code != 0 {
		t.Fatalf("%q, exit code %d: %s", out, code, stderr)
	}
	if alive(pid) {
		t.Errorf("the daemon, process %d, is there when the call has ended", pid)
	}
}

// Timeout, grace and signals are as without a server.
func TestKeepStops(t *testing.T) {
	keepFolder(t)
	s := begin(t, kept([]string{"--timeout", "1s", "--grace", "100ms"}, "deaf")...)
	pid := s.number("ready")
	s.ends(codeTimedOut)
	gone(t, pid)
	s, _ = calls(t, []string{"--grace", "1m"}, "deaf")
	s.signal(syscall.SIGHUP)
	s.signal(syscall.SIGTERM)
	s.ends(128 + 9)
	s, pid = calls(t, nil, "stay")
	s.number("below")
	s.signal(syscall.SIGTSTP) // which its group, an orphaned one, does not obey; the child stops for a moment
	s.signal(syscall.SIGINT)
	s.ends(128 + 2)
	gone(t, pid)
}

// What cannot be handed over is started as without a server.
func TestKeepCold(t *testing.T) {
	base := keepFolder(t)
	report := filepath.Join(t.TempDir(), "report")
	args := []string{"run", "--spawn-backend", "forkserver", "--opt", "keep=1m", "--report", report, "--", "sh", "-c", "exit 5"}
	if _, stderr, code := result(t, hatchery(t, args...)); code != 5 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	text, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(text), `"start":"cold"`) || !strings.Contains(string(text), "neither a program that calls actor.Park") {
		t.Errorf("%v: %s", err, text)
	}
	// So is a program that turns out not to take part.
	if _, stderr, code := result(t, hatchery(t, "run", "--spawn-backend", "forkserver", "--opt", "keep=1m", "--opt", "kind=pool", "--", "sh", "-c", "exit 5")); code != 5 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	for want, args := range map[int][]string{
		codeUnavailable: {"--opt", "require=warm", "--", "sh", "-c", "exit 5"},
		codeNotFound:    {"--", "no-such-program"},
		codeFailed:      {"--dir", "/no/such/folder", "--", "a-worker", "look"},
		codeUsage:       {"--opt", "no=option", "--", "a-worker", "look"},
	} {
		args = append([]string{"run", "--spawn-backend", "forkserver", "--opt", "keep=1m"}, args...)
		if _, stderr, code := result(t, hatchery(t, args...)); code != want || stderr == "" {
			t.Errorf("%q: exit code %d, want %d: %s", args, code, want, stderr)
		}
	}
	theServer(t, base)
}

func TestKeepUsage(t *testing.T) {
	base := keepFolder(t)
	for option, args := range map[string][]string{
		"keep=\"x\"":              {"--spawn-backend", "forkserver", "--opt", "keep=x"},
		"keep=0":                  {"--spawn-backend", "forkserver", "--opt", "keep=0"},
		"keep=-1s":                {"--spawn-backend", "forkserver", "--opt", "keep=-1s"},
		"keep=25h":                {"--spawn-backend", "forkserver", "--opt", "keep=25h"},
		"--opt keep and --detach": {"--spawn-backend", "forkserver", "--opt", "keep=1m", "--detach"},
		"keep":                    {"--spawn-backend", "forkexec", "--opt", "keep=1m"},
	} {
		args = append(append([]string{"run"}, args...), "--", "a-worker", "look")
		if _, stderr, code := result(t, hatchery(t, args...)); code != codeUsage || !strings.Contains(stderr, option) {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
	if pids := servers(base); len(pids) > 0 {
		t.Errorf("servers %v", pids)
	}
}

// On a terminal the child needs one of its own.
func TestKeepOnATerminal(t *testing.T) {
	keepFolder(t)
	term := onTerminal(t, kept(nil, "read")...)
	term.sees("with --tty")
	term.ends(codeUsage)
	term = onTerminal(t, kept([]string{"--tty"}, "size")...)
	term.resize(11, 22)
	term.sees("size 11 22")
	term.resize(33, 44)
	term.sees("size 33 44")
	term.types(ctrlC)
	term.ends(128 + 2)
	term.isAsBefore()
}

func TestKeepPlan(t *testing.T) {
	base := keepFolder(t)
	args := kept(nil, "look")
	args[0] = "plan"
	for _, want := range []string{"a server would be started", "would be handed over in server "} {
		out, stderr, code := result(t, hatchery(t, args...))
		if code != 0 || !strings.Contains(out, "handoff") || !strings.Contains(out, want) {
			t.Errorf("exit code %d: %s%s", code, out, stderr)
		}
		result(t, hatchery(t, kept(nil, "look")...))
	}
	out, stderr, code := result(t, hatchery(t, "dump", strconv.Itoa(theServer(t, base))))
	if code != 0 || !strings.Contains(out, "template of ") {
		t.Errorf("dump: exit code %d: %s%s", code, out, stderr)
	}
}
