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

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// aWorker is a program that waits until it is told what to be: TestMain has parked.
func aWorker() {
	say := func(v ...any) { fmt.Println(v...) }
	switch args := os.Args[1:]; args[0] {
	case "look":
		dir, _ := os.Getwd()
		mask := syscall.Umask(0)
		var files syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_CORE, &files)
		in, _ := io.ReadAll(os.Stdin)
		say(strings.Join(args, "|"), dir, fmt.Sprintf("%03o", mask), files.Cur, os.Getenv("MARK"), string(in))
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
func keepFolder(t *testing.T) string {
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
		cmd.Args = append([]string{"sh", "-c", `umask 0` + strconv.Itoa(20+i) + `; ulimit -S -c ` + strconv.Itoa(i) + `; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
		cmd.Path, cmd.Dir, cmd.Stdin = "/bin/sh", work, strings.NewReader("input "+strconv.Itoa(i))
		out, stderr, code := result(t, cmd)
		want := fmt.Sprintf("look|a b||%d %s 0%d %d m%d input %d\n", i, work, 20+i, i*512, i, i)
		if out != want && out != strings.Replace(want, strconv.Itoa(i*512), strconv.Itoa(i*1024), 1) || code != 7 {
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

// A killed caller takes its child and what is below that with it, and nobody else.
func TestKeepCallerKilled(t *testing.T) {
	base := keepFolder(t)
	other := begin(t, kept(nil, "stay")...)
	otherPid, otherBelow := other.number("ready"), other.number("below")
	s := begin(t, kept(nil, "stay")...)
	pid, below := s.number("ready"), s.number("below")
	s.cmd.Process.Kill()
	gone(t, pid, below)
	if !alive(otherPid) || !alive(otherBelow) {
		t.Error("the child of another call has ended")
	}
	theServer(t, base)
	other.signal(syscall.SIGTERM)
	other.ends(128 + 15)
	gone(t, otherBelow)
}

// A killed server takes all children with it; callers say that they are lost.
func TestKeepServerKilled(t *testing.T) {
	base := keepFolder(t)
	s := begin(t, kept(nil, "stay")...)
	pid, below := s.number("ready"), s.number("below")
	server := theServer(t, base)
	keepers := linux.Children(server)
	syscall.Kill(server, syscall.SIGKILL)
	s.ends(codeFailed)
	if want := fmt.Sprintf("lost: the server that it ran in, process %d, has ended", server); !strings.Contains(s.stderr.String(), strings.TrimPrefix(want, "lost: ")) {
		t.Errorf("stderr %s, want %q", &s.stderr, want)
	}
	gone(t, append(keepers, pid, below)...)
	if _, stderr, code := result(t, hatchery(t, kept(nil, "look")...)); code != 7 {
		t.Errorf("the next call: exit code %d: %s", code, stderr)
	}
}

// A killed keeper costs the children; the server goes on with another one.
func TestKeepKeeperKilled(t *testing.T) {
	base := keepFolder(t)
	s := begin(t, kept(nil, "stay")...)
	pid := s.number("ready")
	server := theServer(t, base)
	for _, keeper := range linux.Children(server) {
		syscall.Kill(keeper, syscall.SIGKILL)
	}
	s.ends(codeFailed)
	gone(t, pid)
	if _, stderr, code := result(t, hatchery(t, kept(nil, "look")...)); code != 7 || theServer(t, base) != server {
		t.Errorf("the next call: exit code %d: %s", code, stderr)
	}
}

// A killed plugin costs nothing.
func TestKeepPluginKilled(t *testing.T) {
	base := keepFolder(t)
	s := begin(t, kept(nil, "stay")...)
	s.number("ready")
	killed := 0
	for _, keeper := range linux.Children(theServer(t, base)) {
		for _, pid := range linux.Children(keeper) {
			if st, err := linux.ReadStat(pid); err == nil && st.Comm == "hatchery-plugin" {
				syscall.Kill(pid, syscall.SIGKILL)
				killed++
			}
		}
	}
	if killed != 1 {
		t.Errorf("%d plugins", killed)
	}
	if _, stderr, code := result(t, hatchery(t, kept(nil, "look")...)); code != 7 {
		t.Errorf("the next call: exit code %d: %s", code, stderr)
	}
	s.signal(syscall.SIGTERM)
	s.ends(128 + 15)
}

// knows waits until a caller has been told of its child, which may have begun before.
func knows(t *testing.T, s *session) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd/", s.cmd.Process.Pid)
	eventually(t, func() bool {
		names, _ := os.ReadDir(dir)
		return slices.ContainsFunc(names, func(e os.DirEntry) bool {
			target, _ := os.Readlink(dir + e.Name())
			return strings.Contains(target, "[pidfd]") || strings.HasPrefix(target, "pidfd:")
		})
	})
}

// A server that is stopped holds nobody up for long.
func TestKeepServerStopped(t *testing.T) {
	base := keepFolder(t)
	ending := begin(t, kept(nil, "stay")...)
	endingPid := ending.number("ready")
	killing := begin(t, kept([]string{"--grace", "1m"}, "deaf")...)
	killingPid := killing.number("ready")
	knows(t, ending)
	knows(t, killing)
	server := theServer(t, base)
	syscall.Kill(server, syscall.SIGSTOP)
	defer syscall.Kill(server, syscall.SIGCONT)
	eventually(t, func() bool { s, _ := linux.ReadStat(server); return s.State == 'T' })
	_, stderr, code := result(t, hatchery(t, kept(nil, "look")...))
	if want := fmt.Sprintf("process %d, which is stopped, does not answer", server); code != codeFailed || !strings.Contains(stderr, want) {
		t.Errorf("a new call: exit code %d: %s, want %q", code, stderr, want)
	}
	ending.signal(syscall.SIGTERM)
	killing.signal(syscall.SIGTERM)
	killing.signal(syscall.SIGHUP)
	ending.ends(codeFailed)
	killing.ends(codeFailed)
	gone(t, endingPid, killingPid)
}

// SIGTERM ends a server as it ends a host: children are asked, and told of.
func TestKeepServerTerminated(t *testing.T) {
	base := keepFolder(t)
	s := begin(t, kept(nil, "stay")...)
	pid, below := s.number("ready"), s.number("below")
	server := theServer(t, base)
	syscall.Kill(server, syscall.SIGTERM)
	s.ends(128 + 15)
	gone(t, pid, below, server)
}

// A server ends by itself when nobody has called for a while, and when it cannot be
// called any more.
func TestKeepServerEnds(t *testing.T) {
	base := keepFolder(t)
	short := append([]string{"run", "--spawn-backend", "forkserver", "--opt", "keep=200ms"}, kept(nil, "read")[5:]...)
	s := begin(t, short...)
	s.ends(0)
	for _, pid := range servers(base) {
		gone(t, pid)
	}
	s = begin(t, kept(nil, "stay")...)
	pid := s.number("ready")
	server := theServer(t, base)
	sockets, err := filepath.Glob(filepath.Join(base, "*", "keep-*"))
	if err != nil || len(sockets) != 1 {
		t.Fatal(sockets, err)
	}
	if err := os.RemoveAll(filepath.Dir(sockets[0])); err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Error("the child has ended with the folder")
	}
	s.signal(syscall.SIGTERM)
	s.ends(128 + 15)
	gone(t, server)
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
	s := begin(t, kept([]string{"--timeout", "300ms", "--grace", "100ms"}, "deaf")...)
	pid := s.number("ready")
	s.ends(codeTimedOut)
	gone(t, pid)
	s = begin(t, kept([]string{"--grace", "1m"}, "deaf")...)
	s.number("ready")
	s.signal(syscall.SIGHUP)
	s.signal(syscall.SIGTERM)
	s.ends(128 + 9)
	s = begin(t, kept(nil, "stay")...)
	pid = s.number("ready")
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

// noted reports whether a keeper has noted a process.
func noted(base string, pid int) bool {
	records, _ := filepath.Glob(filepath.Join(base, "*", keeper.RecordPrefix+"*"))
	for _, path := range records {
		r, _ := keeper.ReadRecord(path)
		if slices.ContainsFunc(r.Entries, func(e keeper.Entry) bool { return e.Pid == pid }) {
			return true
		}
	}
	return false
}

// What a server leaves that was killed together with its keeper is found.
func TestKeepReap(t *testing.T) {
	base := keepFolder(t)
	s := begin(t, kept(nil, "stay")...)
	pid, below := s.number("ready"), s.number("below")
	server := theServer(t, base)
	eventually(t, func() bool { return noted(base, below) })
	both := append(linux.Children(server), server)
	for _, pid := range both {
		syscall.Kill(pid, syscall.SIGSTOP)
	}
	for _, pid := range both {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	s.ends(codeFailed)
	gone(t, append(both, pid)...)
	if out, stderr, code := result(t, hatchery(t, "reap")); code != 0 {
		t.Errorf("exit code %d: %s%s", code, out, stderr)
	}
	gone(t, below)
}
