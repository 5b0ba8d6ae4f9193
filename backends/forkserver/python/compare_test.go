//go:build linux

package python_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var heavy = flag.Bool("heavy", false, "compare with every interpreter of this machine")

func TestMain(m *testing.M) {
	flag.Parse()
	inheritNothing()
	os.Exit(leakcheck.Main(m))
}

// inheritNothing keeps descriptors that this process was started with from the
// programs that are run plainly.
func inheritNothing() {
	open, _ := os.ReadDir("/proc/self/fd")
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// preload is what templates of the comparison import: much of what the
// programs use, so that what it leaves behind would show.
func preload() []string {
	return strings.Fields("asyncio decimal email.message http.client json logging multiprocessing random subprocess threading unittest uuid")
}

// TestPrograms compares programs under a template with the same run plainly.
func TestPrograms(t *testing.T) {
	for _, path := range interpreters(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			ts := newTemplates(t)
			t.Run("all", func(t *testing.T) { // ends before the templates do
				for _, p := range programs() {
					t.Run(p.name, func(t *testing.T) {
						t.Parallel()
						compare(t, ts, path, p)
					})
				}
			})
		})
	}
}

// interpreters returns the first that is found, or all of them.
func interpreters(t testing.TB) []string {
	var found []string
	home, _ := os.UserHomeDir()
	for _, pattern := range []string{"/usr/bin/python3", "/usr/local/bin/python3", home + "/.pyenv/versions/3.*/bin/python3.[0-9]*", "/opt/hostedtoolcache/Python/3.*/x64/bin/python3"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if suitable(path) {
				found = append(found, path)
			}
		}
	}
	if len(found) == 0 {
		t.Skip("no CPython 3.9 or later with ctypes here")
	}
	if !*heavy {
		found = found[:1]
	}
	return found
}

func suitable(path string) bool {
	return exec.Command(path, "-c", "import sys, ctypes; sys.exit(sys.version_info < (3, 9) or sys.implementation.name != 'cpython')").Run() == nil
}

// An outcome is all that is to be equal.
type outcome struct{ Stdout, Stderr, Status string }

func compare(t *testing.T, ts *templates, path string, p program) {
	dir := t.TempDir()
	files := map[string]string{}
	if p.script != "" {
		files["main.py"] = p.script
	}
	for name, text := range p.files {
		files[name] = text
	}
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := p.args
	if args == nil {
		args = []string{"main.py"}
	}
	env := append([]string{"PATH=/usr/bin:/bin", "HOME=" + dir, "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=1"}, p.env...)
	if slices.Contains(p.env, "LANG=C") {
		env = slices.DeleteFunc(env, func(e string) bool { return e == "LANG=C.UTF-8" })
	}
	env = withoutHome(env, dir)
	s := &spawn.Spec{Path: path, Args: append([]string{path}, args...), Env: env, Dir: dir}
	want := perform(t, p, func(files []*os.File) (int, error) { return plain(s, p, files) })
	z, err := ts.get(s, preload())
	if err != nil {
		t.Fatal(err)
	}
	got := perform(t, p, func(files []*os.File) (int, error) {
		r := request{args: s.Args, env: env, dir: dir, files: files}
		if p.terminal {
			r.settings = []string{"session", "terminal=0"}
		}
		return z.run(r)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plain (-) and warm (+):\n%s", diff)
	}
}

// withoutHome takes the test's own directory out of what a template depends
// on, so that tests share templates.
func withoutHome(env []string, dir string) []string {
	for i, e := range env {
		if e == "HOME="+dir {
			env[i] = "HOME=/nonexistent"
		}
	}
	return env
}

// plain starts the program as os/exec does. The caller waits for it.
func plain(s *spawn.Spec, p program, files []*os.File) (int, error) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	attr := &os.ProcAttr{Dir: s.Dir, Env: s.Env, Files: files}
	if p.terminal {
		attr.Sys = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	proc, err := os.StartProcess(s.Path, s.Args, attr)
	if err != nil {
		return 0, err
	}
	pid := proc.Pid
	return pid, proc.Release()
}

// perform gives a program its descriptors, starts it, and collects what comes
// of it.
func perform(t *testing.T, p program, start func([]*os.File) (int, error)) outcome {
	t.Helper()
	var files, ours []*os.File
	if p.terminal {
		master, slave, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		files, ours = []*os.File{slave, slave, slave}, []*os.File{master}
	} else {
		in := filepath.Join(t.TempDir(), "stdin")
		if err := os.WriteFile(in, []byte(p.stdin), 0o644); err != nil {
			t.Fatal(err)
		}
		stdin, err := os.Open(in)
		if err != nil {
			t.Fatal(err)
		}
		files = []*os.File{stdin}
		for range 2 {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			files, ours = append(files, w), append(ours, r)
		}
	}
	pid, err := start(files)
	for _, f := range files {
		f.Close()
	}
	if err != nil {
		for _, f := range ours {
			f.Close()
		}
		t.Fatal(err)
	}
	return collect(t, p, pid, ours)
}

func collect(t *testing.T, p program, pid int, from []*os.File) outcome {
	hang := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	defer hang.Stop()
	texts := make([]chan string, 2)
	for i := range texts {
		texts[i] = make(chan string, 1)
		if i >= len(from) {
			texts[i] <- ""
			continue
		}
		go func() {
			defer from[i].Close()
			texts[i] <- read(from[i], func(text string) (done bool) {
				switch {
				case p.interrupt && i == 0 && strings.Contains(text, "\n"):
					awaitSleep(pid)
					_ = syscall.Kill(pid, syscall.SIGINT)
				case p.terminal && strings.HasSuffix(text, "? "):
					// Echoed before the prompt or behind it, if it were typed ahead.
					_, _ = io.WriteString(from[i], p.stdin)
				default:
					return false
				}
				return true
			})
		}()
	}
	out, errs := <-texts[0], <-texts[1]
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	how := "exit " + strconv.Itoa(status.ExitStatus())
	if status.Signaled() {
		how = "signal " + status.Signal().String()
	}
	return outcome{neutral(out), neutral(errs), how}
}

// awaitSleep waits until the process is asleep, which /proc alone can tell.
func awaitSleep(pid int) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		_, state, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(state, "S") {
			return
		}
		<-tick.C
	}
}

// read reads everything, and shows react what it has until that has seen enough.
func read(r io.Reader, react func(string) bool) string {
	var all bytes.Buffer
	chunk, done := make([]byte, 4096), false
	for {
		n, err := r.Read(chunk)
		all.Write(chunk[:n])
		if !done {
			done = react(all.String())
		}
		if err != nil {
			return all.String()
		}
	}
}

// Addresses of objects and the ports that the kernel chose differ from run to
// run; nothing else is touched.
var varying = regexp.MustCompile(`0x[0-9a-f]{6,}|port [0-9]+|127\.0\.0\.1:[0-9]+`)

func neutral(s string) string { return varying.ReplaceAllString(s, "*") }
