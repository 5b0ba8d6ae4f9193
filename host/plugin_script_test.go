//go:build linux

package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// refusal is what the start of a plugin file fails with.
func refusal(t *testing.T, path string) error {
	t.Helper()
	h := hostOf(t, registry.Entry{Key: "x", Path: path})
	_, err := h.Command("true").Output()
	if err == nil {
		t.Fatal("it was started")
	}
	return err
}

func TestFileThatIsNoPlugin(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"text", "echo hi\n", "neither a program (ELF) nor a script that begins with a line like #!/bin/sh"},
		{"one byte", "#", "neither a program (ELF) nor a script"},
		{"half an ELF", "\x7fELF", "it is no program of this machine: want one that was built for linux/"},
		{"no interpreter", "#! \t\necho hi\n", "its first line names no interpreter"},
		{"a relative interpreter", "#!bin/sh\n", `its interpreter "bin/sh" is relative: want an absolute path, or #!/usr/bin/env sh`},
		{"carriage return", "#!/bin/sh\r\n", "its first line ends with a carriage return"},
		{"a long line", "#!/bin/sh " + strings.Repeat("x", 300) + "\n", "its first line is longer than the 255 bytes"},
		{"a NUL byte", "#!/bin/sh\x00x\n", "its first line has a NUL byte"},
		{"env of two words", "#!/usr/bin/env sh -e\n", `/usr/bin/env would look for a program named "sh -e": want /usr/bin/env -S sh -e`},
		{"env with an option", "#!/usr/bin/env -i\n", `what /usr/bin/env makes of "-i" is not known before it runs`},
		{"env with a variable", "#!/usr/bin/env -S PATH=/evil sh\n", "is not known before it runs"},
		{"env with quotes", "#!/usr/bin/env -S sh \"-e\"\n", "is not known before it runs"},
		{"env of nothing", "#!/usr/bin/env -S\n", "/usr/bin/env is not told what to start"},
		{"env of what is missing", "#!/usr/bin/env no-such-interpreter\n", "its interpreter no-such-interpreter is in no folder of $PATH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(backendDir(t), "spawn-backend-x")
			script(t, path, c.text)
			mentions(t, refusal(t, path), path, c.want)
		})
	}
}

// TestInterpreterIsMissing: it is named, and not the script, as what is
// missing.
func TestInterpreterIsMissing(t *testing.T) {
	dir := backendDir(t)
	path, missing := filepath.Join(dir, "spawn-backend-x"), filepath.Join(dir, "python9")
	script(t, path, "#!"+missing+" -u\n")
	err := refusal(t, path)
	var e *spawn.Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || e.Path != missing {
		t.Errorf("got %#v", e)
	}
	mentions(t, err, "interpreter "+missing+": of "+path+": install it, or correct what names it")

	// The same for an interpreter that is a script itself.
	outer := filepath.Join(dir, "outer")
	script(t, outer, "#!"+missing+"\n")
	script(t, path, "#!"+outer+"\n")
	mentions(t, refusal(t, path), "interpreter "+missing+": of "+outer)
}

func TestInterpreterThatOthersCanWriteTo(t *testing.T) {
	dir, open := backendDir(t), backendDir(t)
	path := filepath.Join(dir, "spawn-backend-x")
	loose, inOpen := filepath.Join(dir, "loose"), filepath.Join(open, "sh")
	must(t, os.Symlink("/bin/sh", inOpen), os.Chmod(open, 0o777))
	script(t, loose, "#!/bin/sh\n")
	must(t, os.Chmod(loose, 0o775))
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(inOpen, link))
	for _, c := range []struct{ name, line, want string }{
		{"the file", "#!" + loose, "chmod go-w " + loose},
		{"its folder", "#!" + inOpen, "chmod go-w " + open},
		{"the folder of a link on the way", "#!" + link, "chmod go-w " + open},
		{"what env finds", "#!/usr/bin/env -S sh", "chmod go-w " + open},
		{"not executable", "#!/etc/passwd", "not executable: chmod +x /etc/passwd"},
		{"a folder", "#!/etc", "a folder: want an executable file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATH", open+":"+os.Getenv("PATH"))
			script(t, path, c.line+"\ntouch "+dir+"/EXECUTED\n")
			err := refusal(t, path)
			if !errors.Is(err, spawn.ErrUntrusted) {
				t.Errorf("got %v, want %v", err, spawn.ErrUntrusted)
			}
			mentions(t, err, "interpreter", "of "+path, c.want)
			if _, err := os.Stat(filepath.Join(dir, "EXECUTED")); err == nil {
				t.Error("it was executed")
			}
		})
	}
}

// TestScriptsWork by every kind of first line, pinned and not.
func TestScriptsWork(t *testing.T) {
	dir := backendDir(t)
	real := pluginBinary(t, backendDir(t), "x")
	nested := filepath.Join(dir, "nested")
	script(t, nested, "#!/bin/sh\nexec /bin/sh \"$@\"\n")
	for name, line := range map[string]string{
		"plain": "#!/bin/sh", "spaces": "#! \t/bin/sh  -e \t", "env": "#!/usr/bin/env sh", "env -S": "#!/usr/bin/env -S sh -e -u", "nested": "#!" + nested,
	} {
		for _, pinned := range []bool{false, true} {
			if pinned {
				name += ", pinned"
			}
			t.Run(name, func(t *testing.T) {
				path := filepath.Join(dir, "spawn-backend-x.sh")
				script(t, path, line+"\ntest \"$0\" = /dev/fd/5 || exit 9\nexec "+real+"\n")
				e := registry.Entry{Key: "x", Path: path}
				if pinned {
					e.Pin = checksum(t, path)
				}
				runs(t, hostOf(t, e))
			})
		}
	}
}

// TestPluginThatSaysItIsAnother is refused, whatever its file is called.
func TestPluginThatSaysItIsAnother(t *testing.T) {
	dir := backendDir(t)
	pluginBinary(t, dir, "liar")
	entries, _ := host.Discover([]string{dir})
	h := hostOf(t, entries[0])
	_, err := h.Command("true").Output()
	if !errors.Is(err, spawn.ErrProtocol) {
		t.Errorf("got %v, want %v", err, spawn.ErrProtocol)
	}
	mentions(t, err, "liar", "honest")
}

// TestPluginThatIsBeingWritten: the kernel executes no file that somebody can
// still write to.
func TestPluginThatIsBeingWritten(t *testing.T) {
	path := pluginBinary(t, backendDir(t), "x")
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	err = refusal(t, path)
	if !errors.Is(err, syscall.ETXTBSY) {
		t.Errorf("got %v, want %v", err, syscall.ETXTBSY)
	}
	mentions(t, err, path, "somebody has it open for writing: wait until it is complete")
	must(t, f.Close())
	runs(t, hostOf(t, registry.Entry{Key: "x", Path: path}))
}

func TestPluginThatCannotBeRead(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can read everything")
	}
	path := pluginBinary(t, backendDir(t), "x")
	must(t, os.Chmod(path, 0o111))
	err := refusal(t, path)
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want %v", err, fs.ErrPermission)
	}
	mentions(t, err, path, "a plugin has to be readable to be checked")
}

// TestFirstLineAsTheKernelReadsIt executes scripts, whose interpreter says its
// arguments, and compares them with those that the host would give it.
func TestFirstLineAsTheKernelReadsIt(t *testing.T) {
	dir := backendDir(t) // which the test binary's own may not pass for
	interp := filepath.Join(dir, "interpreter")
	must(t, os.Rename(pluginBinary(t, dir, "x"), interp))
	fill := func(n int) string { return strings.Repeat("x", n-len("#!"+interp+" ")) }
	for _, head := range []string{
		"#!" + interp + "\n",
		"#!" + interp, // the end of the file ends the line
		"#! \t" + interp + " \t one\ttwo  three \t\nfour\n",
		"#!" + interp + " '\"\\ $HOME -S\n",
		"#!" + interp + " \xff\xfe\n",
		"#!" + interp + " " + fill(255) + "\n",
		"#!" + interp + " " + fill(255),
	} {
		path := filepath.Join(backendDir(t), "script")
		script(t, path, head)
		cmd := exec.Command(path)
		cmd.Env = append(os.Environ(), helperproc.Env("environ"))
		out, err := cmd.Output()
		must(t, err)
		want, _, _ := strings.Cut(string(out), "\n")
		got, args, err := host.ScriptCommand(path, []byte(head))
		if err != nil || got != interp || args[0] != interp {
			t.Errorf("%q: %q %q, %v", head, got, args, err)
			continue
		}
		args[len(args)-1] = path // instead of the descriptor's name
		if text := fmt.Sprintf("%q", args[1:]); text != want {
			t.Errorf("%q: arguments %s, the kernel gives %s", head, text, want)
		}
	}
	// One byte more, and the kernel would cut the argument off.
	if _, _, err := host.ScriptCommand("script", []byte("#!"+interp+" "+fill(256)+"\n")); err == nil {
		t.Error("a line of 256 bytes is taken")
	}
}

// TestHowAPluginIsExecuted looks at a running one: its program is the file
// itself, under its own name.
func TestHowAPluginIsExecuted(t *testing.T) {
	path := pluginBinary(t, backendDir(t), "seen")
	h := hostOf(t, registry.Entry{Key: "seen", Path: path})
	runs(t, h)
	proc := "/proc/" + itoa(pluginOf(t))
	exe, err := os.Readlink(proc + "/exe")
	must(t, err)
	argv, err := os.ReadFile(proc + "/cmdline")
	must(t, err)
	if exe != path || string(argv) != path+"\x00" {
		t.Errorf("program %q, arguments %q; want %q for both", exe, argv, path)
	}
}
