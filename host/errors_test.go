//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestErrorsAreThoseOfOSExec starts what cannot be started, here and by
// os/exec, and compares what errors.Is says.
func TestErrorsAreThoseOfOSExec(t *testing.T) {
	h := open(t, host.Config{})
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0); err != nil {
		t.Fatal(err)
	}
	plain := write("plain", "#!/bin/sh\n", 0o644)
	garbage := write("garbage", "no program", 0o755)
	write("closed.sh", "#!"+plain+"\n", 0o755)
	noInterp := write("nointerp", "#!/nonexistent/interpreter\n", 0o755)
	tests := []struct {
		name, path, dir string
		phase           spawn.Phase
		names           string // the path that the text has to name
		says            string
	}{
		{"missing program", filepath.Join(dir, "none"), "", spawn.PhaseExec, filepath.Join(dir, "none"), ""},
		{"missing in PATH", "hatchery-no-such-program", "", spawn.PhaseResolve, "hatchery-no-such-program", ""},
		{"not executable", plain, "", spawn.PhaseExec, plain, "may not execute " + plain + ": its mode is 0644"},
		{"interpreter not executable", filepath.Join(dir, "closed.sh"), "", spawn.PhaseExec, plain, "its interpreter is " + plain + ", and user "},
		{"script not executable", write("noexec.sh", "#!/bin/sh\n", 0o644), "", spawn.PhaseExec, "noexec.sh", "permission denied"},
		{"a folder", dir, "", spawn.PhaseExec, dir, ""},
		{"no program", garbage, "", spawn.PhaseExec, garbage, "neither a program"},
		{"link loop", loop, "", spawn.PhaseExec, loop, ""},
		{"missing interpreter", noInterp, "", spawn.PhaseExec, noInterp, "/nonexistent/interpreter"},
		{"missing cwd", "/bin/true", filepath.Join(dir, "nowhere"), spawn.PhaseSetup, filepath.Join(dir, "nowhere"), "chdir"},
		{"cwd is a file", "/bin/true", plain, spawn.PhaseSetup, plain, "chdir"},
	}
	if os.Getuid() != 0 {
		tests = append(tests, struct {
			name, path, dir string
			phase           spawn.Phase
			names           string
			says            string
		}{"closed cwd", "/bin/true", closed, spawn.PhaseSetup, closed, "chdir"})
	}
	sentinels := map[string]error{
		"fs.ErrNotExist": fs.ErrNotExist, "fs.ErrPermission": fs.ErrPermission, "exec.ErrNotFound": exec.ErrNotFound,
		"ENOENT": syscall.ENOENT, "EACCES": syscall.EACCES, "ENOEXEC": syscall.ENOEXEC, "ELOOP": syscall.ELOOP, "ENOTDIR": syscall.ENOTDIR,
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := h.Start(t.Context(), spawn.Spec{Path: tt.path, Dir: tt.dir})
			direct := exec.Command(tt.path)
			direct.Dir = tt.dir
			want := direct.Run()
			if err == nil || want == nil {
				t.Fatalf("started: here %v, os/exec %v", err, want)
			}
			for name, s := range sentinels {
				if errors.Is(err, s) != errors.Is(want, s) {
					t.Errorf("errors.Is(…, %s): here %v (%v), os/exec %v (%v)", name, errors.Is(err, s), err, errors.Is(want, s), want)
				}
			}
			var e *spawn.Error
			if !errors.As(err, &e) || e.Phase != tt.phase || e.Key != "forkexec" {
				t.Errorf("phase of %#v, want %s", e, tt.phase)
			}
			if !strings.Contains(err.Error(), tt.names) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("text %q, want it to name %q and %q", err, tt.names, tt.says)
			}
			t.Log(err)
		})
	}
}

// TestProgramOfAnotherUser: what is closed to the user of the child is what the error
// names, and not the interpreter, which is not to blame.
func TestProgramOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give a child another identity")
	}
	h := open(t, host.Config{})
	base := t.TempDir()
	if err := os.Chmod(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	script := []byte("#!/bin/sh\nexit 3\n")
	for name, tt := range map[string]struct {
		dir, file os.FileMode
		groups    []uint32
		says      string
	}{
		"folder": {0o750, 0o755, nil, "the folder %s is closed to user 65534: its mode is 0750"},
		"file":   {0o755, 0o750, nil, "user 65534 may not execute %s/program: its mode is 0750"},
		"group":  {0o750, 0o750, []uint32{0}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(base, name)
			if err := os.Mkdir(dir, tt.dir); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "program")
			if err := os.WriteFile(path, script, tt.file); err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(base, name+"-link")
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{path, link} {
				p, err := h.Start(t.Context(), spawn.Spec{Path: path, Credential: &spawn.Credential{UID: 65534, GID: 65534, Groups: tt.groups}})
				if tt.says == "" {
					if err != nil {
						t.Fatal(err)
					}
					p.Wait()
					continue
				}
				if want := fmt.Sprintf(tt.says, dir); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "interpreter") {
					t.Errorf("%v, want %q", err, want)
				}
			}
		})
	}
}

// TestSpecialFileAsProgram: looking for a reason must not wait for the other
// end of a FIFO.
func TestSpecialFileAsProgram(t *testing.T) {
	h := open(t, host.Config{})
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o755); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if _, err := h.Start(t.Context(), spawn.Spec{Path: fifo}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v, want permission denied", err)
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestCredentialCannotEnter is the closed directory for a child of another
// user, whose permissions count.
func TestCredentialCannotEnter(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to start a child as another user")
	}
	h := open(t, host.Config{})
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := h.Start(t.Context(), spawn.Spec{Path: "/bin/true", Dir: closed, Credential: &spawn.Credential{UID: 65534, GID: 65534}})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), closed) {
		t.Errorf("error %v, want permission denied on %s", err, closed)
	}
}

func TestCanceledSpawn(t *testing.T) {
	h := open(t, host.Config{})
	start(t, h, sh("true")) // the plugin is up
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	if _, err := h.Start(ctx, sh("sleep 100")); !errors.Is(err, context.Canceled) || !errors.Is(err, spawn.ErrCanceled) {
		t.Errorf("error %v, want canceled", err)
	}
	if d := time.Since(begin); d > time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestOpenNeedsInit(t *testing.T) {
	out := helperOutput(t, "noinit")
	if !strings.Contains(out, "call host.Init first") {
		t.Errorf("Open without Init says %q", out)
	}
}
