//go:build linux

package python_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// template boots a template that has helper.py, and the standard modules,
// preloaded.
func template(t *testing.T, helper string, modules ...string) (*zygote, *spawn.Spec, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "helper.py"), []byte(helper), 0o644); err != nil {
		t.Fatal(err)
	}
	path := interpreters(t)[0]
	env := []string{"PATH=/usr/bin:/bin", "PYTHONPATH=" + dir, "PYTHONDONTWRITEBYTECODE=1"}
	s := &spawn.Spec{Path: path, Args: []string{path, "-c", ""}, Env: env, Dir: dir}
	z, err := boot(s, append([]string{"helper"}, modules...))
	if err == nil {
		t.Cleanup(z.end)
	}
	return z, s, err
}

// code runs code in a child, with additional settings and environment, and
// returns what it wrote to its standard output and error.
func code(t *testing.T, z *zygote, s *spawn.Spec, code string, more request) (string, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	more.args = []string{s.Path, "-c", code}
	more.env = append(more.env, s.Env...)
	more.dir, more.files = s.Dir, append([]*os.File{null, w, w}, more.files...)
	pid, err := z.run(more)
	w.Close()
	if err != nil {
		return "", err
	}
	out, _ := io.ReadAll(r)
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Error(err)
	}
	return string(out), nil
}

// TestNoChildShowsInTheNext has one child change all it can, and looks at the
// state of the next.
func TestNoChildShowsInTheNext(t *testing.T) {
	z, s, err := template(t, "", "random", "ssl", "multiprocessing")
	if err != nil {
		t.Fatal(err)
	}
	const look = "import os, sys, signal, random, locale, builtins\n" +
		"print(sorted(os.environ), os.getcwd(), os.umask(0), sys.path, signal.getsignal(2), hasattr(builtins, 'x'), sorted(os.listdir('/proc/self/fd')), os.nice(0), os.getsid(0) == os.getpid())\n"
	before, err := code(t, z, s, look, request{})
	if err != nil {
		t.Fatal(err)
	}
	const change = "import os, sys, signal, builtins\nos.environ['A'] = 'a'\nos.chdir('/')\nsys.path.append('x')\nsignal.signal(2, 1)\nbuiltins.x = 1\nprint(open('/proc/self/fd/0'))\nos.open('/', 0)\n"
	if _, err := code(t, z, s, change, request{env: []string{"B=b"}, settings: []string{"session", "nice=5", "umask=0777", "ignore=1"}}); err != nil {
		t.Fatal(err)
	}
	after, err := code(t, z, s, look, request{})
	if err != nil || after != before {
		t.Errorf("before:\n%s\nafter:\n%s%v", before, after, err)
	}
	if want := "'0', '1', '2', '3'"; !strings.Contains(before, want) {
		t.Errorf("descriptors other than %s:\n%s", want, before)
	}
}

// TestRandomIsFresh fails when the hooks of a fork are not run, or a key of the
// template's is shared.
func TestRandomIsFresh(t *testing.T) {
	const helper = "import random, ssl, uuid, multiprocessing\nrandom.random(); ssl.RAND_bytes(8); uuid.uuid4()\n"
	z, s, err := template(t, helper, "secrets")
	if err != nil {
		t.Fatal(err)
	}
	const show = "import random, ssl, uuid, secrets, multiprocessing as m\nfor v in (random.random(), ssl.RAND_bytes(8).hex(), uuid.uuid4(), uuid.uuid1(), secrets.token_hex(8), m.current_process().authkey.hex()): print(v)\n"
	seen := map[string]bool{}
	for range 3 {
		out, err := code(t, z, s, show, request{})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Fields(out)
		if len(lines) != 6 {
			t.Fatalf("%s", out)
		}
		for i, v := range lines {
			if seen[v] {
				t.Errorf("the value %d, %s, for the second time", i, v)
			}
			seen[v] = true
		}
	}
}

// TestWhatPreloadOpened is closed in a child, and what it printed or installed
// is not the child's.
func TestWhatPreloadOpened(t *testing.T) {
	const helper = "import os, signal, sys, socket\nf = os.open('/', 0)\ns = socket.socket()\nos.dup2(f, 77, True)\nprint('preloaded')\nsys.stdout.write('tail')\nsignal.signal(signal.SIGTERM, print)\nsys.excepthook = print\nos.environ['LEFT'] = '1'\n"
	z, s, err := template(t, helper)
	if err != nil {
		t.Fatal(err)
	}
	out, err := code(t, z, s, "import os, signal\nprint(sorted(os.listdir('/proc/self/fd')), signal.getsignal(15) == signal.SIG_DFL, 'LEFT' in os.environ)", request{})
	if want := "['0', '1', '2', '3'] True False\n"; err != nil || out != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
}

// TestThreadsAreNamed: a template with a second thread refuses, and serves
// again when the thread has ended.
func TestThreadsAreNamed(t *testing.T) {
	const helper = "import os, threading\nthreading.Thread(target=lambda: open('gate').read(), name='worker-7').start()\n"
	dir := t.TempDir()
	gate := filepath.Join(dir, "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	z, s, err := template(t, strings.ReplaceAll(helper, "'gate'", "'"+gate+"'"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = code(t, z, s, "print(1)", request{})
	if err == nil || !strings.HasPrefix(err.Error(), "refused 17 16 2 threads (") || !strings.Contains(err.Error(), "worker-7") {
		t.Errorf("got %v", err)
	}
	f, err := os.OpenFile(gate, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	var out string
	// The thread is gone soon after its file has ended.
	for began := time.Now(); time.Since(began) < time.Minute; {
		if out, err = code(t, z, s, "print(1)", request{}); err == nil {
			break
		}
	}
	if out != "1\n" || err != nil {
		t.Errorf("after the thread's end: %q, %v", out, err)
	}
}

// TestPreloadThatFails ends the template with the traceback.
func TestPreloadThatFails(t *testing.T) {
	_, _, err := template(t, "def f():\n    raise RuntimeError('no such luck')\nf()\n")
	if err == nil || !strings.Contains(err.Error(), "RuntimeError: no such luck") || !strings.Contains(err.Error(), "helper.py\", line 2") {
		t.Errorf("got %v", err)
	}
}

// TestSettings that are unknown or impossible are named on the report.
func TestSettings(t *testing.T) {
	z, s, err := template(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{
		"grease=1":          `["failed" "grease" "38" "unknown setting"]`,
		"rlimit=7:20:10":    `["failed" "rlimit" "22" ""]`,
		"terminal=0":        `["failed" "terminal" "25" ""]`,
		"affinity=00000000": `["failed" "affinity" "22" ""]`,
	} {
		_, err := code(t, z, s, "print(1)", request{settings: []string{setting}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", setting, err, want)
		}
	}
	inverse, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // 20 less the value
	if err != nil {
		t.Fatal(err)
	}
	nice := min(20-inverse+3, 19) // a user may not be nicer to himself than this test is run
	out, err := code(t, z, s, "import os, resource, signal\nprint(resource.getrlimit(7), oct(os.umask(0)), os.getpgrp() == os.getpid(), os.nice(0), signal.getsignal(1) == signal.SIG_IGN, sorted(os.sched_getaffinity(0)))",
		request{settings: []string{"group=0", "rlimit=7:33:44", fmt.Sprint("nice=", nice), "affinity=01", "oom_score_adj=500", "umask=0123", "ignore=1"}})
	if want := fmt.Sprintf("(33, 44) 0o123 True %d True [0]\n", nice); err != nil || out != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
}

// TestDescriptors are at their numbers whatever numbers they arrive at.
func TestDescriptors(t *testing.T) {
	z, s, err := template(t, "")
	if err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	want := ""
	for i := range 20 {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, []byte{byte('a' + i)}, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files, want = append(files, f), want+string(rune('a'+i))
	}
	out, err := code(t, z, s, "import os\nprint(''.join(os.read(n, 1).decode() for n in range(3, 23)), max(map(int, os.listdir('/proc/self/fd'))), os.get_inheritable(5))", request{files: files})
	if want += " 23 True\n"; err != nil || out != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
}

// TestEndOfChannel ends the template.
func TestEndOfChannel(t *testing.T) {
	z, _, err := template(t, "import atexit, os\natexit.register(os.abort)\n")
	if err != nil {
		t.Fatal(err)
	}
	z.conn.Close()
	if err := z.cmd.Wait(); err != nil {
		t.Error(err)
	}
}
