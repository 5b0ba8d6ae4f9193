//go:build linux && (amd64 || arm64)

package launch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestTerminal makes a pseudoterminal the controlling one of a new session.
func TestTerminal(t *testing.T) {
	f := newFixture(t)
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("needs a pseudoterminal: ", err)
	}
	defer master.Close()
	zero := 0
	r := &Request{
		Plan: spawn.Standard(&spawn.Spec{Session: true, Terminal: &zero}), Path: "/bin/sh",
		Args: []string{"sh", "-c", "echo to the terminal >/dev/tty"}, Env: []string{"PATH=/usr/bin:/bin"},
		Files: []File{{0, int(slave.Fd())}},
	}
	if _, ws, err := f.output(t, r); err != nil || ws != 0 {
		t.Fatal(ws, err)
	}
	slave.Close()
	line := make([]byte, 64)
	n, err := master.Read(line)
	if got := string(line[:n]); got != "to the terminal\r\n" || err != nil {
		t.Errorf("the terminal shows %q, %v", got, err)
	}
}

// onThread runs f on a thread that ends with it. The main thread never ends:
// should f come to it, it is kept busy while another goroutine takes f.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		done := make(chan struct{})
		onThread(func() { f(); close(done) })
		<-done
	}()
}

// TestPdeathsig ends the thread that launched two children, of which one has
// asked to hear of it.
func TestPdeathsig(t *testing.T) {
	type pair struct{ with, without int }
	pids := make(chan pair)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	onThread(func() {
		th, err := NewThread()
		if err != nil {
			t.Error(err)
		}
		launch := func(steps ...spawn.Step) int {
			c, err := th.Launch(&Request{Plan: plan(steps...), Path: "/bin/sleep", Args: []string{"sleep", "100"}, Null: int(null.Fd())})
			th.Done()
			if err != nil {
				t.Error(err)
				return 0
			}
			unix.Close(c.Pidfd)
			return c.Pid
		}
		pids <- pair{launch(spawn.Pdeathsig(syscall.SIGUSR1)), launch()}
	})
	p := <-pids
	if p.with == 0 || p.without == 0 {
		return
	}
	if ws := reap(t, p.with); ws.Signal() != syscall.SIGUSR1 {
		t.Errorf("the child that asked ended with %v, want SIGUSR1", ws)
	}
	if pid, err := syscall.Wait4(p.without, nil, syscall.WNOHANG, nil); pid != 0 || err != nil {
		t.Errorf("the child that did not ask: %d, %v", pid, err)
	}
	syscall.Kill(p.without, syscall.SIGKILL)
	reap(t, p.without)
}

// TestCloneInto starts a child in a cgroup.
func TestCloneInto(t *testing.T) {
	group := ""
	for _, root := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if dir, err := os.MkdirTemp(root, "hatchery-test-*"); err == nil {
			group = dir
			break
		}
	}
	if group == "" {
		t.Skip("needs a cgroup v2 folder that can be written")
	}
	t.Cleanup(func() { os.Remove(group) })
	if _, err := os.Stat(group + "/cgroup.kill"); err != nil {
		t.Skip("needs cgroup v2: ", err)
	}
	dir, err := os.Open(group)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	f := newFixture(t)
	r := shell("grep ^0:: /proc/$$/cgroup")
	r.Plan.Steps[0] = spawn.CloneInto(0, spawn.FD(0))
	r.FDs = []int{int(dir.Fd())}
	out, _, err := f.output(t, r)
	if want := "/" + filepath.Base(group) + "\n"; err != nil || !strings.HasSuffix(out, want) {
		t.Errorf("the child is in %q, want %q (%v)", out, want, err)
	}
}

// TestCloneFlags starts a child in namespaces of its own.
func TestCloneFlags(t *testing.T) {
	f := newFixture(t)
	r := shell("readlink /proc/self/ns/uts; echo $$")
	r.Plan.Steps[0] = spawn.Clone(unix.CLONE_NEWUSER | unix.CLONE_NEWUTS)
	r.Plan.InsertBefore(spawn.OpFiles, spawn.Pdeathsig(syscall.SIGKILL))
	out, _, err := f.output(t, r)
	if err != nil {
		t.Skip("needs user namespaces: ", err)
	}
	host, err := os.Readlink("/proc/self/ns/uts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(out, host) || !strings.HasPrefix(out, "uts:[") {
		t.Errorf("the child's namespace is %q, the host's %q", out, host)
	}
}

// TestEveryStepIsKnown reads the list of steps from the source of package
// spawn: each must have parameters here and stand in a test of this package.
func TestEveryStepIsKnown(t *testing.T) {
	tested := map[string]bool{}
	names, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		ast.Inspect(parse(t, name), func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				tested[s.Sel.Name] = true
			}
			return true
		})
	}
	constructors := map[string]string{
		"Clone": "CloneInto", "Write": "Write", "Close": "Close", "Terminal": "Terminal", "Foreground": "Foreground", "Pdeathsig": "Pdeathsig", "Exec": "Exec", "ExecFD": "ExecFD", "Files": "Exec",
		"Init": "Init", "Park": "Park", "Folder": "Folder", "Watch": "Watch", "Wall": "Wall", "UIDMap": "UIDMap", "GIDMap": "GIDMap", "OpenTree": "OpenTree", "Fsopen": "Fsopen", "Fsconfig": "Fsconfig", "Landlock": "Landlock", "LandlockPath": "LandlockPath", "LandlockRestrict": "LandlockRestrict",
	}
	count := 0
	ast.Inspect(parse(t, "../../spawn/ops.go"), func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Type == nil {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Op" {
			return true
		}
		op := spawn.Op(strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`))
		if op == spawn.OpHandoff { // the keeper takes it from the plan
			return true
		}
		if _, _, _, ok := params(op); !ok {
			t.Errorf("%s: launch does not know the step %q", v.Names[0], op)
		}
		short := strings.TrimPrefix(v.Names[0].Name, "Op")
		if !tested[v.Names[0].Name] && !tested[constructors[short]] {
			t.Errorf("%s: no test of the step %q", v.Names[0], op)
		}
		count++
		return true
	})
	if count < 20 {
		t.Errorf("only %d steps were found in the source", count)
	}
}

func parse(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
