//go:build linux && (amd64 || arm64)

package seccomp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
)

// here is the architecture of the tests.
const here = Arch(runtime.GOARCH)

// marked is an error that no call under test fails with by itself, so that one
// can tell the filter's answer from the kernel's.
const marked = unix.EADV

// load puts this thread under a filter.
func load(program string) error {
	code := []byte(program)
	prog := unix.SockFprog{Len: uint16(len(code) / instructionSize), Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.SliceData(code)))}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(code)
	if errno != 0 {
		return errno
	}
	return nil
}

// confine loads the default profile, by the name of what it does with what it
// refuses, in a helper that runs on one thread from here on.
func confine(how string) {
	refuse := map[string]Action{"marked": Errno(uint16(marked)), "eperm": Errno(eperm), "kill": KillProcess}[how]
	runtime.LockOSThread()
	program, err := Assemble(Default(refuse), here)
	if err == nil {
		err = load(program)
	}
	if err != nil {
		fmt.Println("the filter cannot be loaded:", err)
		syscall.Exit(99)
	}
}

// become is a helper that goes under the profile args[0] and becomes the program
// args[1:].
func become(args []string) int {
	path, err := exec.LookPath(args[1])
	if err == nil {
		confine(args[0])
		err = syscall.Exec(path, args[1:], os.Environ())
	}
	fmt.Println(err)
	return 98
}

// harmless are the calls that the profile refuses and that do nothing when all
// of their arguments are nonsense, in case it does not.
func harmless() []string {
	var all []string
	for _, g := range refused(Errno(eperm)) {
		for _, r := range g.Rules {
			for _, name := range r.Names {
				if _, ok := Number(name, here); ok && r.Action == Errno(eperm) && name != "vhangup" {
					all = append(all, name)
				}
			}
		}
	}
	return all
}

// attempt is a helper that makes all harmless calls and a few judged ones, and
// says which were not answered by the filter.
func attempt([]string) int {
	confine("marked")
	for _, name := range harmless() {
		n, _ := Number(name, here)
		const bad = ^uintptr(0)
		if _, _, errno := unix.RawSyscall6(uintptr(n), bad, bad, bad, bad, bad, bad); errno != marked {
			fmt.Println(name, "says", errno)
		}
	}
	judged := func(what string, want error, nr int, args ...uintptr) {
		a := append(args, 0, 0, 0)
		if _, _, errno := unix.RawSyscall(uintptr(nr), a[0], a[1], a[2]); errno != want && !(errno == 0 && want == nil) {
			fmt.Println(what, "says", errno)
		}
	}
	judged("clone with a namespace", marked, unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD))
	judged("clone3", unix.ENOSYS, unix.SYS_CLONE3)
	judged("unshare of a namespace", marked, unix.SYS_UNSHARE, unix.CLONE_NEWUSER)
	judged("unshare of files", nil, unix.SYS_UNSHARE, unix.CLONE_FILES)
	judged("TIOCSTI", marked, unix.SYS_IOCTL, 0, unix.TIOCSTI)
	judged("TIOCSTI with a bit above", marked, unix.SYS_IOCTL, 0, 1<<32|unix.TIOCSTI)
	judged("personality", nil, unix.SYS_PERSONALITY, 0xffffffff)
	judged("READ_IMPLIES_EXEC", marked, unix.SYS_PERSONALITY, 0x400000)
	judged("AF_PACKET", unix.EAFNOSUPPORT, unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_DGRAM)
	judged("SCTP", unix.EPROTONOSUPPORT, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP)
	judged("TCP", nil, unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	judged("number 1000", unix.ENOSYS, 1000)
	return 0
}

func TestMain(m *testing.M) {
	flags()
	os.Exit(helperproc.Main(m.Run, map[string]helperproc.Func{"become": become, "attempt": attempt}))
}

func TestKernelRefuses(t *testing.T) {
	out, err := helperproc.Command("attempt").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	if n := len(harmless()); n < 40 {
		t.Errorf("%d calls were tried", n)
	}
}

func TestKernelKills(t *testing.T) {
	sh := func(how, script string) error {
		return helperproc.Command("become", how, "unshare", "--user", "sh", "-c", script).Run()
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		helperproc.Skip("become")
		t.Skip("needs the unshare program: ", err)
	}
	var exit *exec.ExitError
	if err := sh("eperm", "exit 0"); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("refused: %v; want exit code 1", err)
	}
	if err := sh("kill", "exit 0"); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
		t.Errorf("killed: %v; want SIGSYS", err)
	}
}

// TestForeignConventions starts programs of a few instructions that call the
// kernel by other conventions than that of this architecture.
func TestForeignConventions(t *testing.T) {
	if here != AMD64 {
		t.Skip("amd64 alone has several")
	}
	// mov edi, -eax; mov eax, exit; syscall: what the call before it said is the
	// exit code.
	exit := []byte{0x89, 0xc7, 0xf7, 0xdf, 0xb8, 60, 0, 0, 0, 0x0f, 0x05}
	i386 := append([]byte{0xb8, 64, 0, 0, 0, 0xcd, 0x80, 0x31, 0xc0}, exit...) // mov eax, getppid; int 0x80; xor eax, eax
	x32ABI := append([]byte{0xb8, 39, 0, 0, 0x40, 0x0f, 0x05}, exit...)        // mov eax, x32 getpid; syscall
	program := func(code []byte) string {
		path := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(path, tinyelf.Program(code), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := program(i386)
	if err := exec.Command(path).Run(); err != nil {
		t.Log("this kernel has no i386 convention: ", err)
	} else {
		err := helperproc.Command("become", "eperm", path).Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
			t.Errorf("int 0x80: %v; want SIGSYS", err)
		}
	}
	err := helperproc.Command("become", "kill", program(x32ABI)).Run()
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != int(unix.ENOSYS) {
		t.Errorf("x32: %v; want ENOSYS as the exit code", err)
	}
}

// TestProgramsLiveWithIt runs programs that are everywhere, killed for the first
// thing that the profile does not like.
func TestProgramsLiveWithIt(t *testing.T) {
	tests := [][]string{
		{"sh", "-c", `d=$(mktemp -d) && cd $d && echo a | cat >x && ln -s x y && mkfifo p && (sleep 0.01; cat y) | grep a && rm -r $d`, "a"},
		{"bash", "-c", `coproc cat; echo hi >&${COPROC[1]}; read -u ${COPROC[0]} x; kill $COPROC_PID; wait; echo $x`, "hi"},
		{"python3", "-c", `import subprocess, threading, socket, tempfile, json, sqlite3, multiprocessing
t = threading.Thread(target=print, args=("thread",)); t.start(); t.join()
a, b = socket.socketpair(); a.send(b"x"); socket.socket(socket.AF_INET6)
print(subprocess.check_output(["echo", "child"], text=True), end="")
print(sqlite3.connect(":memory:").execute("select 6*7").fetchone()[0])`, "thread\nchild\n42"},
		{"git", "--version", "git version"},
		{"tar", "--version", "tar"},
	}
	for _, tt := range tests {
		t.Run(tt[0], func(t *testing.T) {
			if _, err := exec.LookPath(tt[0]); err != nil {
				t.Skip("not installed: ", err)
			}
			args, want := tt[:len(tt)-1], tt[len(tt)-1]
			c := helperproc.Command("become", append([]string{"kill"}, args...)...)
			c.Dir = t.TempDir()
			out, err := c.CombinedOutput()
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%v: %s; want %q", err, out, want)
			}
		})
	}
}

// BenchmarkLoad puts threads under filters, each a fresh one.
func BenchmarkLoad(b *testing.B) {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range syscalls() {
			if _, ok := Number(name, here); ok && !yield(name) {
				return
			}
		}
	})
	all, err := Assemble(Filter{Default: Allow}, here)
	if err != nil {
		b.Fatal(err)
	}
	profile, err := Assemble(Default(Errno(eperm)), here)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range []struct{ name, program string }{{"allow all", all}, {"default", profile}, {"list of 300", list(names[:300])}} {
		b.Run(f.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				done := make(chan error)
				go func() {
					runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
					start := time.Now()
					err := load(f.program)
					took = append(took, time.Since(start))
					done <- err
				}()
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "µs/load")
			b.ReportMetric(float64(took[0].Nanoseconds())/1e3, "µs-min")
			b.ReportMetric(0, "ns/op") // the thread's making is not meant
		})
	}
}

// list is what the tree is compared with: one comparison after the other.
func list(names []string) string {
	var out bytes.Buffer
	add := func(op byte, yes, no byte, k uint32) {
		out.Write([]byte{op, 0, yes, no, byte(k), byte(k >> 8), byte(k >> 16), byte(k >> 24)})
	}
	add(opLoad, 0, 0, atNumber)
	for _, name := range names {
		n, _ := Number(name, here)
		add(opEq, 0, 1, uint32(n))
		add(opRet, 0, 0, uint32(Allow))
	}
	add(opRet, 0, 0, uint32(Log))
	return out.String()
}
