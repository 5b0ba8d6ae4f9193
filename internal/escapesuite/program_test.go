//go:build linux

package escapesuite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// onProgram are the attempts to be executed as what starts the child, and to change the
// file of that: a child that leads the exec of the next one to /proc/self/exe, in a
// folder that both can write, has the host's own program in its sandbox.
func onProgram() []attempt {
	change := func([]string) error {
		st, err := os.Stat("/proc/self/exe")
		if err != nil {
			return err
		}
		return os.Chmod("/proc/self/exe", st.Mode()) // to write waits for the end of all who execute it
	}
	led := func(make func(path string) error) func(*scene) {
		return func(s *scene) {
			dir := s.folder()
			if err := make(dir + "/program"); err != nil {
				s.Fatal(err)
			}
			s.opts = append(s.opts, "bind="+dir+":rw")
			s.path, s.env = dir+"/program", []string{helperproc.Env("attempt")}
		}
	}
	owned := func() string {
		if st, err := os.Stat("/proc/self/exe"); err != nil || int(st.Sys().(*syscall.Stat_t).Uid) != os.Geteuid() {
			return "the program is somebody else's"
		}
		return ""
	}
	refused := []syscall.Errno{syscall.EROFS}
	if owned() != "" {
		refused = []syscall.Errno{syscall.EPERM} // and so nothing had to be done
	}
	const byLink, byScript = "change-keeper-by-link", "change-keeper-by-script"
	return []attempt{
		{
			name: byLink, what: "change the program of the host, which a link makes its own", stops: []layer{sealedLayer}, plain: true, needs: owned,
			scene: led(func(path string) error { return os.Symlink("/proc/self/exe", path) }),
			try:   change, want: refused,
		},
		{
			name: byScript, what: "change the program of the host, which is the interpreter of its script", stops: []layer{sealedLayer}, plain: true, needs: owned,
			scene: led(func(path string) error {
				return os.WriteFile(path, []byte("#!/proc/self/exe "+byScript+"\n"), 0o755)
			}),
			try: change, want: refused,
		},
	}
}

// TestExposedProgram: a program that cannot be executed from a read-only mount, because it
// would gain no rights there, and that the child's user could change, makes no sandbox.
func TestExposedProgram(t *testing.T) {
	openHost(t) // or it skips
	s := &scene{TB: t}
	dir := s.folder()
	program := filepath.Join(dir, "program")
	if out, err := exec.Command("cp", helperproc.Path(), program).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	c := exec.Command(program)
	c.Args, c.Dir, c.Env = helperproc.Argv("exposed"), dir, []string{"PATH=/usr/bin:/bin", "TMPDIR=" + dir}
	if isRoot() {
		const nobody = 65534
		if err := os.Chown(program, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	for _, mode := range []os.FileMode{0o755, 0o755 | os.ModeSetuid} {
		if err := os.Chmod(program, mode); err != nil {
			t.Fatal(err)
		}
		run := *c
		out, err := run.CombinedOutput()
		if refused := strings.Contains(string(out), "/proc/self/exe"); err != nil || refused != (mode&os.ModeSetuid != 0) {
			t.Errorf("a program with mode %v: %q, %v", mode, out, err)
		}
	}
}

// exposedHelper starts a child in a sandbox, and says what became of it. It fails when
// that is neither that it ran nor that it was refused.
func exposedHelper([]string) int {
	h, err := host.Open(host.Config{Method: isolate.Key})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer h.Close()
	c := h.Command("/bin/true")
	c.Dir = "/"
	err = c.Run()
	fmt.Println(err)
	if err != nil && !errors.Is(err, spawn.ErrUnavailable) {
		return 1
	}
	return 0
}
