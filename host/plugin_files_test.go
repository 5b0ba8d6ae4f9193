//go:build linux

package host_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// serveAsPlugin serves a backend when this test binary was copied to the name
// of a plugin binary and executed by it, as by a host.
func serveAsPlugin() {
	name, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "spawn-backend-")
	if !ok {
		return
	}
	os.Exit(sdk.Main(fileBackend{key: name}))
}

// fileBackend is a plugin binary of its own. Under the name liar it says that
// it is another.
type fileBackend struct {
	sdk.Unimplemented
	key string
}

func (b fileBackend) Describe() sdk.Description {
	if b.key == "liar" {
		return sdk.Description{Key: "honest", Summary: "lies"}
	}
	return sdk.Description{Key: b.key, Summary: "a binary of its own", Status: "experimental"}
}

// Plan answers the option dump=FILE by writing there what a child of the
// plugin's own has.
func (b fileBackend) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	if path, ok := s.Option("dump"); ok {
		if out, err := exec.Command("/bin/sh", "-c", dumpScript(path)).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
	}
	return spawn.Standard(s), nil
}

// dumpScript writes environment and descriptors of a shell's process to
// path.env and path.fds. Others do it, so that the shell itself opens nothing.
func dumpScript(path string) string {
	return fmt.Sprintf("(cat /proc/$$/environ > %[1]s.env)\n(ls -l /proc/$$/fd > %[1]s.fds)\n:\n", path)
}

// pluginBinary makes a copy of this test binary that is a plugin.
func pluginBinary(t testing.TB, dir, key string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "spawn-backend-"+key)
	in, err := os.Open(helperproc.Path())
	must(t, err)
	defer in.Close()
	// Written under another name: a child that is being forked just now has
	// the descriptor, and the file could not be executed.
	out, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, err, out.Close(), os.Chmod(path+".new", 0o755), os.Rename(path+".new", path))
	return path
}

// script writes an executable file, whatever the umask is.
func script(t testing.TB, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o755), os.Chmod(path, 0o755))
}

// hostOf opens a host with one plugin binary.
func hostOf(t testing.TB, e registry.Entry) *host.Host {
	t.Helper()
	r, err := registry.New(e)
	must(t, err)
	return open(t, host.Config{Registry: r, Method: e.Key})
}

// checksum returns the pin that fits a file.
func checksum(t testing.TB, path string) registry.Pin {
	t.Helper()
	pin, _, err := host.Checksum(t.Context(), path)
	must(t, err)
	return pin
}

// runs runs a program by the host's method.
func runs(t testing.TB, h *host.Host) {
	t.Helper()
	if out, err := h.Command("echo", "hi").Output(); err != nil || string(out) != "hi\n" {
		t.Errorf("echo: %q, %v", out, err)
	}
}

// mentions reports whether an error says all that it should.
func mentions(t testing.TB, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error %v does not say %q", err, w)
		}
	}
}
