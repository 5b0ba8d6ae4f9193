//go:build linux && (amd64 || arm64)

package launch

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

const ownSurroundings = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC

// confined is a child that is root in namespaces of its own: steps come behind
// those that make it that.
func confined(script string, steps ...spawn.Step) *Request {
	var all []spawn.Step
	write := func(path, text string) {
		n := len(all) + 1
		all = append(all, spawn.Open(spawn.Str(path), os.O_WRONLY, 0), spawn.Write(spawn.Result(n), spawn.Str(text)), spawn.Close(spawn.Result(n)))
	}
	write("/proc/self/setgroups", "deny")
	write("/proc/self/uid_map", fmt.Sprintf("0 %d 1", os.Geteuid()))
	write("/proc/self/gid_map", fmt.Sprintf("0 %d 1", os.Getegid()))
	if len(all) != confinedSteps-1 {
		panic("the first own step is not where the tests refer to")
	}
	r := shell(script, append(all, steps...)...)
	r.Plan.Steps[0] = spawn.Clone(ownSurroundings)
	return r
}

// confinedSteps is the index of the first of a confined child's own steps.
const confinedSteps = 10

func needsUserNamespaces(t *testing.T, f *fixture) {
	t.Helper()
	if _, _, err := f.output(t, confined("exit 0")); err != nil {
		t.Skip("needs user namespaces: ", err)
	}
}

// TestConfine runs each step in namespaces of the child's own and looks at what
// it did, as the child sees it.
func TestConfine(t *testing.T) {
	f := newFixture(t)
	needsUserNamespaces(t, f)
	dir := t.TempDir()
	self, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	str, first := spawn.Str, confinedSteps
	tmpfs := spawn.Mount(str("tmpfs"), str(dir), "tmpfs", unix.MS_NOSUID, "size=1m")
	tests := []struct {
		op     spawn.Op
		steps  []spawn.Step
		script string
		want   string
	}{
		{spawn.OpSethostname, []spawn.Step{spawn.Sethostname("cell")}, `cat /proc/sys/kernel/hostname`, "cell\n"},
		{spawn.OpSetdomainname, []spawn.Step{spawn.Setdomainname("jail")}, `cat /proc/sys/kernel/domainname`, "jail\n"},
		{spawn.OpUnshare, []spawn.Step{spawn.Sethostname("cell"), spawn.Unshare(unix.CLONE_NEWUTS), spawn.Sethostname("inner")}, `cat /proc/sys/kernel/hostname`, "inner\n"},
		{spawn.OpLinkUp, []spawn.Step{spawn.LinkUp("lo")}, `cat /proc/self/net/if_inet6`, "00000000000000000000000000000001 01 80 10 80       lo\n"},
		{spawn.OpMount, []spawn.Step{tmpfs}, `stat -f -c %T ` + dir + ` && grep -c "` + dir + `.*nosuid.*size=1024k" /proc/self/mounts`, "tmpfs\n1\n"},
		{spawn.OpUmount, []spawn.Step{tmpfs, spawn.Umount(str(dir), unix.MNT_DETACH)}, `grep -c ` + dir + ` /proc/self/mounts; true`, "0\n"},
		{spawn.OpMkdir, []spawn.Step{tmpfs, spawn.Umask(0o77), spawn.Mkdir(spawn.CWD(), str(dir+"/d"), 0o751)}, `stat -c %a:%F ` + dir + `/d; umask`, "751:directory\n0077\n"},
		{spawn.OpMknod, []spawn.Step{tmpfs, spawn.Umask(0o77), spawn.Mknod(spawn.CWD(), str(dir+"/f"), unix.S_IFREG|0o640, 0)}, `stat -c "%a:%F" ` + dir + `/f; umask`, "640:regular empty file\n0077\n"},
		{spawn.OpSymlink, []spawn.Step{tmpfs, spawn.Symlink("to/there", spawn.CWD(), str(dir+"/l"))}, `readlink ` + dir + `/l`, "to/there\n"},
		{spawn.OpOpenAt, []spawn.Step{
			tmpfs, spawn.OpenAt(spawn.CWD(), str(dir), unix.O_PATH|unix.O_DIRECTORY, 0, unix.RESOLVE_NO_SYMLINKS),
			spawn.Mkdir(spawn.Result(first+1), str("below"), 0o700),
			spawn.OpenAt(spawn.Result(first+1), str("below"), unix.O_PATH, 0, unix.RESOLVE_IN_ROOT),
			spawn.Mkdir(spawn.Result(first+3), str("more"), 0o700),
		}, `ls -A ` + dir + `/below; ls /proc/$$/fd`, "more\n0\n1\n2\n"},
		{spawn.OpMountSetattr, []spawn.Step{tmpfs, spawn.MountSetattr(spawn.CWD(), str(dir), unix.AT_RECURSIVE, unix.MOUNT_ATTR_RDONLY, 0, unix.MS_PRIVATE)},
			`touch ` + dir + `/x 2>/dev/null || echo read-only`, "read-only\n"},
		{spawn.OpMoveMount, []spawn.Step{
			tmpfs, spawn.Mkdir(spawn.CWD(), str(dir+"/a"), 0o700), spawn.Mkdir(spawn.CWD(), str(dir+"/a/x"), 0o700), spawn.Mkdir(spawn.CWD(), str(dir+"/b"), 0o700),
			spawn.OpenTree(spawn.CWD(), str(dir+"/a"), unix.OPEN_TREE_CLONE), spawn.OpenAt(spawn.CWD(), str(dir+"/b"), unix.O_PATH, 0, 0),
			spawn.MoveMount(spawn.Result(first+4), spawn.Result(first+5), str(""), unix.MOVE_MOUNT_T_EMPTY_PATH),
		}, `ls ` + dir + `/b`, "x\n"},
		{spawn.OpFsmount, []spawn.Step{
			spawn.Fsopen("tmpfs", 0), spawn.Fsconfig(spawn.Result(first), unix.FSCONFIG_SET_STRING, "size", "64k"), spawn.Fsconfig(spawn.Result(first), unix.FSCONFIG_CMD_CREATE, "", ""),
			spawn.Fsmount(spawn.Result(first), 0, unix.MOUNT_ATTR_NOEXEC), spawn.MoveMount(spawn.Result(first+3), spawn.CWD(), str(dir), 0),
		}, `grep -c "` + dir + `.*noexec.*size=64k" /proc/self/mounts`, "1\n"},
		{spawn.OpPivotRoot, []spawn.Step{
			spawn.Mount(str("none"), str("/"), "", unix.MS_REC|unix.MS_PRIVATE, ""), spawn.OpenTree(spawn.CWD(), str("/"), unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE), tmpfs,
			spawn.MoveMount(spawn.Result(first+1), spawn.CWD(), str(dir), 0), spawn.Chdir(str(dir)), spawn.PivotRoot(str("."), str(".")), spawn.Umount(str("."), unix.MNT_DETACH),
			spawn.Chdir(str("/")),
		}, `ls -d /proc/self/root/usr; pwd -P`, "/proc/self/root/usr\n/\n"},
		{spawn.OpSetns, []spawn.Step{spawn.Open(str("/proc/self/ns/uts"), 0, 0), spawn.Unshare(unix.CLONE_NEWUTS), spawn.Sethostname("gone"), spawn.Setns(spawn.Result(first), unix.CLONE_NEWUTS)},
			`[ "$(cat /proc/sys/kernel/hostname)" != gone ] && echo back`, "back\n"},
		{spawn.OpCapset, []spawn.Step{spawn.Capset(1<<5, 1<<5|1<<33, 0)}, `grep -E "Cap(Inh)" /proc/$$/status`, "CapInh:\t0000000000000000\n"},
		{spawn.OpBound, []spawn.Step{spawn.Bound(1<<5 | 1<<33)}, `grep -E "Cap(Bnd|Eff)" /proc/$$/status`, "CapEff:\t0000000200000020\nCapBnd:\t0000000200000020\n"},
		{spawn.OpAmbientClear, []spawn.Step{spawn.AmbientClear()}, `grep CapAmb /proc/$$/status`, "CapAmb:\t0000000000000000\n"},
		{spawn.OpSecurebits, []spawn.Step{spawn.Securebits(1 /* SECBIT_NOROOT */)}, `grep CapEff /proc/$$/status`, "CapEff:\t0000000000000000\n"},
		{spawn.OpSeccomp, []spawn.Step{spawn.NoNewPrivs(), spawn.Seccomp(0, "\x06\x00\x00\x00\x00\x00\xff\x7f"[:8])}, `grep Seccomp: /proc/$$/status`, "Seccomp:\t2\n"},
	}
	for _, tt := range tests {
		t.Run(string(tt.op), func(t *testing.T) {
			out, ws, err := f.output(t, confined(tt.script, tt.steps...))
			if err != nil || out != tt.want || ws != 0 {
				t.Errorf("child says %q, status %v, error %v; want %q", out, ws, err, tt.want)
			}
		})
	}
}

// TestKeyring looks for a session keyring that is not the test's own.
func TestKeyring(t *testing.T) {
	f := newFixture(t)
	const list = `grep " keyring  *_ses" /proc/keys | cut -d" " -f1`
	mine, _, err := f.output(t, shell(list))
	if err != nil {
		t.Fatal(err)
	}
	own, ws, err := f.output(t, shell(list, spawn.Step{Op: spawn.OpKeyring}))
	if err != nil || ws != 0 || own == "" || strings.Contains(mine, own) {
		t.Errorf("the child sees the keyrings %q, the test %q; status %v, %v", own, mine, ws, err)
	}
}

// TestLandlock allows a child to read everything, to write below one folder and
// to connect to one port.
func TestLandlock(t *testing.T) {
	abi, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		t.Skip("needs Landlock: ", errno)
	}
	f, dir := newFixture(t), t.TempDir()
	const write = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_REG
	steps := []spawn.Step{
		spawn.NoNewPrivs(),
		spawn.Landlock(write, 0, 0),
		spawn.OpenAt(spawn.CWD(), spawn.Str(dir+"/in"), unix.O_PATH, 0, 0),
		spawn.LandlockPath(spawn.Result(2), spawn.Result(3), write),
		spawn.LandlockRestrict(spawn.Result(2)),
	}
	if abi >= 4 {
		steps[1] = spawn.Landlock(write, unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 0)
		steps = append(steps[:4:4], spawn.LandlockPort(spawn.Result(2), 7, unix.LANDLOCK_ACCESS_NET_CONNECT_TCP), steps[4])
	}
	for _, d := range []string{"/in", "/out"} {
		if err := os.Mkdir(dir+d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r := shell("echo x >"+dir+"/in/f; echo y >"+dir+"/out/f || echo refused", steps...)
	out, ws, err := f.output(t, r)
	if err != nil || ws != 0 || !strings.HasSuffix(out, "refused\n") {
		t.Fatalf("child says %q, status %v, error %v", out, ws, err)
	}
	if b, err := os.ReadFile(dir + "/in/f"); string(b) != "x\n" || err != nil {
		t.Errorf("in the allowed folder: %q, %v", b, err)
	}
	if _, err := os.Stat(dir + "/out/f"); err == nil {
		t.Error("a file outside of it was made")
	}
}

// TestConfineFails makes steps fail and looks for their names in the errors.
func TestConfineFails(t *testing.T) {
	f := newFixture(t)
	needsUserNamespaces(t, f)
	const nowhere = "/nonexistent/place"
	str, first := spawn.Str, confinedSteps
	tests := []struct {
		step  spawn.Step
		errno syscall.Errno
	}{
		{spawn.Setns(spawn.Result(first-3), unix.CLONE_NEWUTS), syscall.EBADF},
		{spawn.Sethostname(strings.Repeat("x", 100)), syscall.EINVAL},
		{spawn.LinkUp("nolink"), syscall.ENODEV},
		{spawn.Mount(str("x"), str(nowhere), "tmpfs", 0, ""), syscall.ENOENT},
		{spawn.Mount(str("x"), str("/"), "nofs", 0, ""), syscall.ENODEV},
		{spawn.Umount(str(nowhere), 0), syscall.ENOENT},
		{spawn.PivotRoot(str(nowhere), str("/")), syscall.ENOENT},
		{spawn.MountSetattr(spawn.CWD(), str(nowhere), 0, 1, 0, 0), syscall.ENOENT},
		{spawn.OpenTree(spawn.CWD(), str(nowhere), 0), syscall.ENOENT},
		{spawn.Fsopen("nofs", 0), syscall.ENODEV},
		{spawn.OpenAt(spawn.CWD(), str(nowhere), 0, 0, 0), syscall.ENOENT},
		{spawn.Mkdir(spawn.CWD(), str(nowhere), 0), syscall.ENOENT},
		{spawn.Mknod(spawn.CWD(), str(nowhere), unix.S_IFREG, 0), syscall.ENOENT},
		{spawn.Symlink("x", spawn.CWD(), str(nowhere)), syscall.ENOENT},
		{spawn.Seccomp(0, strings.Repeat("\xff", 8)), syscall.EINVAL},
		{spawn.Landlock(1<<62, 0, 0), syscall.EINVAL},
		{spawn.Umount(str(nowhere), 0).Noted("the host's tree could not be left"), syscall.ENOENT},
	}
	for _, tt := range tests {
		t.Run(string(tt.step.Op), func(t *testing.T) {
			_, _, err := f.output(t, confined("echo must not run", tt.step))
			var e *spawn.Error
			if !errors.As(err, &e) || e.Op != string(tt.step.Op) || e.Errno != tt.errno || e.Phase != spawn.PhaseSetup {
				t.Fatalf("error = %#v (%v); want step %s, %v", e, err, tt.step.Op, tt.errno)
			}
			if tt.step.Note != "" && e.Msg != tt.step.Note {
				t.Errorf("the error says %q, want the note %q", e.Msg, tt.step.Note)
			}
		})
	}
}
