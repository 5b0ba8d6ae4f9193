//go:build linux && (amd64 || arm64)

package landlock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestBitsAreTheKernels(t *testing.T) {
	for _, tt := range []struct{ own, kernel Access }{
		{Execute, unix.LANDLOCK_ACCESS_FS_EXECUTE},
		{Write, unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE},
		{Read, unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR},
		{RemoveFile, unix.LANDLOCK_ACCESS_FS_REMOVE_FILE},
		{RemoveFolder, unix.LANDLOCK_ACCESS_FS_REMOVE_DIR},
		{MakeFolder, unix.LANDLOCK_ACCESS_FS_MAKE_DIR},
		{MakeFile, unix.LANDLOCK_ACCESS_FS_MAKE_REG},
		{MakeSocket, unix.LANDLOCK_ACCESS_FS_MAKE_SOCK},
		{MakePipe, unix.LANDLOCK_ACCESS_FS_MAKE_FIFO},
		{MakeSymlink, unix.LANDLOCK_ACCESS_FS_MAKE_SYM},
		{Move, unix.LANDLOCK_ACCESS_FS_REFER},
		{Ioctl, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
		{MakeCharDevice | MakeBlockDevice, unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK},
		{Access(Bind), unix.LANDLOCK_ACCESS_NET_BIND_TCP},
		{Access(Connect), unix.LANDLOCK_ACCESS_NET_CONNECT_TCP},
		{Access(AbstractSockets), unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET},
		{Access(Signals), unix.LANDLOCK_SCOPE_SIGNAL},
	} {
		if tt.own != tt.kernel {
			t.Errorf("%#x; the kernel has %#x", uint64(tt.own), uint64(tt.kernel))
		}
	}
}

func abi(t *testing.T) int {
	t.Helper()
	n, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		t.Skip("needs Landlock: ", errno)
	}
	return int(n)
}

// run executes a program under a policy and returns what it wrote.
func run(t *testing.T, p Policy, argv ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		t.Skip("not installed: ", err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	th, err := launch.NewThread()
	if err != nil {
		t.Fatal(err)
	}
	defer th.Close()
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	steps := []spawn.Step{spawn.Clone(0), spawn.NoNewPrivs()}
	steps = append(steps, p.Steps(len(steps))...)
	steps = append(steps, spawn.Files(), spawn.Exec(spawn.HolePath.Arg()))
	child, err := th.Launch(&launch.Request{
		Plan: &spawn.Plan{Steps: steps}, Path: path, Args: argv, Env: []string{"PATH=/usr/bin:/bin"}, Null: int(null.Fd()),
		Files: []launch.File{{Number: 1, FD: int(pw.Fd())}, {Number: 2, FD: int(pw.Fd())}},
	})
	th.Done()
	pw.Close()
	var out bytes.Buffer
	io.Copy(&out, pr)
	if child.Pid != 0 {
		var ws syscall.WaitStatus
		if _, werr := syscall.Wait4(child.Pid, &ws, 0, nil); werr != nil {
			t.Fatal(werr)
		}
	}
	if err == nil {
		unix.Close(child.Pidfd)
	}
	return out.String(), err
}

// TestKernelHoldsIt: for each ABI that this kernel has, the steps are taken, and
// what the policy allows works while the rest does not.
func TestKernelHoldsIt(t *testing.T) {
	most := abi(t)
	for n := 1; n <= min(most, Newest); n++ {
		dir := t.TempDir()
		for _, d := range []string{"/in", "/in/sub", "/out"} {
			if err := os.Mkdir(dir+d, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range []string{"/in/old", "/out/old", "/single"} {
			if err := os.WriteFile(dir+f, []byte("was"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p, _ := Policy{
			Files: AllFiles &^ (Read | Execute | Ioctl),
			Paths: []Path{{Path: dir + "/in", Access: Write | Make}, {Path: dir + "/single", Access: Write | Make, File: true}, {Path: "/dev/null", Access: Write, File: true}},
		}.On(n)
		const script = `cd "$1"
try() { name=$1; shift; "$@" 2>/dev/null && echo $name || echo no $name; }
try write sh -c 'echo x >in/old'; try write-out sh -c 'echo x >>out/old'; try make mkdir in/d; try make-out mkdir out/d
try remove rm in/old; try remove-out rm out/old; try single sh -c 'echo y >>single'
try truncate-out truncate -s 1 out/old; touch in/a; try move mv -T in/a in/sub/a; try read sh -c 'cat out/old >/dev/null'`
		out, err := run(t, p, "sh", "-c", script, "sh", dir)
		want := "write|no write-out|make|no make-out|remove|no remove-out|single|no truncate-out|move|read|"
		if got := strings.ReplaceAll(out, "\n", "|"); err != nil || got != want {
			t.Errorf("ABI %d: %s, %v; want %s", n, got, err, want)
		}
	}
}

// TestKernelHoldsPorts lets bash connect to one port and not to another.
func TestKernelHoldsPorts(t *testing.T) {
	if n := abi(t); n < 4 {
		t.Skipf("needs Landlock's ABI 4, this is %d", n)
	}
	var ports []int
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	p, missing := Policy{TCP: Connect, Ports: []Port{{uint16(ports[0]), Connect}}}.On(4)
	script := fmt.Sprintf(`for p in %d %d; do (: </dev/tcp/127.0.0.1/$p) 2>/dev/null && echo yes || echo no; done`, ports[0], ports[1])
	if out, err := run(t, p, "bash", "-c", script); err != nil || out != "yes\nno\n" || missing != nil {
		t.Errorf("%q, %v, %v", out, err, missing)
	}
}

// TestScopes: the child cannot signal who is not under its policy.
func TestScopes(t *testing.T) {
	if n := abi(t); n < 6 {
		t.Skipf("needs Landlock's ABI 6, this is %d", n)
	}
	p, _ := Policy{Scope: Signals}.On(6)
	script := fmt.Sprintf(`kill -0 $$ && echo self; kill -0 %d 2>/dev/null || echo not outside`, os.Getpid())
	if out, err := run(t, p, "sh", "-c", script); err != nil || out != "self\nnot outside\n" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestMissingPath(t *testing.T) {
	p, _ := Policy{Files: Write, Paths: []Path{{Path: "/nonexistent/x", Access: Write}}}.On(abi(t))
	_, err := run(t, p, "sh", "-c", "echo must not run")
	var e *spawn.Error
	if !errors.As(err, &e) || e.Op != string(spawn.OpOpenAt) || !strings.Contains(err.Error(), "Landlock is to allow access to /nonexistent/x") {
		t.Errorf("error = %v", err)
	}
}
