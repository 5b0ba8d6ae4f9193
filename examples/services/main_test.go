//go:build linux

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// postgres returns the folder with PostgreSQL's programs.
func postgres(t *testing.T) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("no PostgreSQL: there is no /usr/lib/postgresql/*/bin/initdb")
	}
	return filepath.Dir(found[len(found)-1])
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// prepared returns a folder with all that services.toml names, and the table in it.
// PostgreSQL does not run as root: then it is another user's.
func prepared(t *testing.T, bin string) string {
	dir := t.TempDir()
	table, err := os.ReadFile("services.toml")
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	initdb := []string{filepath.Join(bin, "initdb"), "-D", data, "-U", "visits", "-A", "trust", "-N"}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("as root, and there is no user postgres: ", err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(data, uid, gid); err != nil {
			t.Fatal(err)
		}
		for _, folder := range []string{filepath.Dir(dir), dir} {
			if err := os.Chmod(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		initdb = append([]string{"setpriv", "--reuid", u.Uid, "--regid", u.Gid, "--clear-groups", "--"}, initdb...)
		table = []byte(strings.Replace(string(table), "[service.db]\n", "[service.db]\nuser = \"postgres\"\n", 1))
	}
	run(t, initdb[0], initdb[1:]...)
	if err := os.WriteFile(filepath.Join(dir, "services.toml"), table, 0o644); err != nil {
		t.Fatal(err)
	}
	build(t, ".", ".", filepath.Join(dir, "services"))
	build(t, "../..", "./cmd/hatchery", filepath.Join(dir, "hatchery")) // the other module
	return dir
}

// build builds a program. Another user than the one whose checkout this is may have no
// modules to build it of, and no way to get them: then the test is skipped.
func build(t *testing.T, module, program, to string) {
	t.Helper()
	list := exec.Command("go", "-C", module, "list", "-buildvcs=false", "-deps", "-f", "{{with .Error}}{{.}}{{end}}", program)
	if out, err := list.CombinedOutput(); err != nil {
		t.Skipf("user %d has not all that %s is built of: go list: %v\n%s", os.Geteuid(), program, err, out)
	}
	run(t, "go", "-C", module, "build", "-buildvcs=false", "-o", to, program)
}

// lines are what hatchery up writes.
type lines struct {
	t    *testing.T
	in   *bufio.Reader
	seen strings.Builder
	cmd  *exec.Cmd
}

// until waits for a line, and returns its first group as a number.
func (l *lines) until(expr string) int {
	l.t.Helper()
	timer := time.AfterFunc(time.Minute, func() { l.cmd.Process.Kill() })
	defer timer.Stop()
	re := regexp.MustCompile(expr)
	for {
		line, err := l.in.ReadString('\n')
		l.seen.WriteString(line)
		if m := re.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			n, _ := strconv.Atoi(append(m, "")[1])
			return n
		}
		if err != nil {
			l.t.Fatalf("no line %q: %v\n%s", expr, err, &l.seen)
		}
	}
}

func TestTheTableComesUp(t *testing.T) {
	bin := postgres(t)
	dir := prepared(t, bin)
	cmd := exec.Command(filepath.Join(dir, "hatchery"), "up", filepath.Join(dir, "services.toml"))
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	l := &lines{t: t, in: bufio.NewReader(r), cmd: cmd}

	db := l.until(`^hatchery: db: up \(process (\d+)\)$`)
	store := l.until(`^hatchery: store: up \(process (\d+)\)$`)
	before := l.until(`^visitor +\| visit (\d+)$`)

	syscall.Kill(store, syscall.SIGKILL)
	l.until(`^hatchery: store: .*signal: killed.*started again`)
	l.until(`^hatchery: store: up \(process (\d+)\)$`)
	if n := l.until(`^visitor +\| visit (\d+)$`); n <= before {
		t.Errorf("visit %d after visit %d", n, before)
	}
	syscall.Kill(db, syscall.SIGKILL)
	l.until(`^hatchery: db: signal: killed: started again`)
	db = l.until(`^hatchery: db: up \(process (\d+)\)$`)
	l.until(`^visitor +\| visit (\d+)$`)

	cmd.Process.Signal(syscall.SIGINT)
	io.Copy(&l.seen, l.in) // to the end: nobody is left who could write
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("%v, want exit code 130\n%s", cmd.ProcessState, &l.seen)
	}
	if err := syscall.Kill(db, 0); err != syscall.ESRCH {
		t.Errorf("the server is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); !os.IsNotExist(err) {
		t.Errorf("the server has not ended properly: %v\n%s", err, &l.seen)
	}
}
