//go:build linux

package escapesuite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A scene is what an attempt finds: made anew for each time that it is run.
type scene struct {
	testing.TB
	// plain says that the attempt is run without a sandbox.
	plain bool

	args  []string   // of the attempt
	opts  []string   // of the sandbox, besides those that it needs
	files []*os.File // from 3 on, or all with stdin
	sys   *syscall.SysProcAttr
	spec  func(*spawn.Spec)
	path  string   // of the program; the attempt itself, when it is empty
	env   []string // besides a path

	// harmed reports whether the target has suffered. nil: what the attempt says
	// is all there is.
	harmed func() bool
}

// folder makes a folder of the host that everybody can use, with a file "f" of its
// owner's that says "mine".
func (s *scene) folder() string {
	dir, err := os.MkdirTemp("", "escape-*")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		s.Fatal(err)
	}
	s.write(filepath.Join(dir, "f"))
	return dir
}

func (s *scene) write(path string) {
	if err := os.WriteFile(path, []byte(mine), 0o666); err != nil {
		s.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		s.Fatal(err)
	}
}

// allowAll has the sandbox a filter of the caller's that allows everything.
func (s *scene) allowAll() {
	file := s.folder() + "/allow"
	if err := os.WriteFile(file, []byte{6, 0, 0, 0, 0, 0, 0xff, 0x7f}, 0o644); err != nil { // return SECCOMP_RET_ALLOW
		s.Fatal(err)
	}
	s.opts = append(s.opts, "seccomp=bpf:"+file)
}

// mine is what files say that an attempt is after, stolen what they say when it has
// had them.
const mine, stolen = "mine", "stolen"

// unchanged watches that a file says "mine".
func (s *scene) unchanged(path string) {
	s.harmed = func() bool {
		b, err := os.ReadFile(path)
		return err != nil || string(b) != mine
	}
}

// bound makes a folder that is in the sandbox, at the same place, to be read.
func (s *scene) bound() string {
	dir := s.folder()
	s.opts = append(s.opts, "bind="+dir)
	return dir
}

// A sandbox is how an attempt is run.
type sandbox struct {
	name string
	off  []layer // left out
	opts []string
	spec func(*spawn.Spec)
}

// limit is how long an attempt may take before it counts as hung.
const limit = time.Minute

// run makes the attempt in the scene and returns how it ended.
func (s *scene) run(h *host.Host, a attempt, box sandbox) string {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	argv := helperproc.Argv("attempt", append([]string{a.name}, s.args...)...)
	if s.plain {
		c := exec.CommandContext(ctx, helperproc.Path())
		c.Args, c.Dir, c.ExtraFiles, c.SysProcAttr = argv, "/", s.files, s.sys
		out, err := c.Output()
		return ending(out, c.ProcessState.Sys().(syscall.WaitStatus), err)
	}
	c := h.CommandContext(ctx, inside)
	if s.path != "" {
		c = h.CommandContext(ctx, s.path)
	}
	c.Args, c.Dir, c.Env, c.ExtraFiles, c.Method = argv, "/", append([]string{"PATH=/usr/bin:/bin"}, s.env...), s.files, isolate.Key
	opts := append([]string{"bind=" + helperproc.Path() + ":" + inside, "uid=0", "gid=0"}, s.opts...)
	if len(box.off) > 0 {
		c.Method = weakKey
		opts = append(opts, without+"="+join(box.off))
	}
	c.Spec.Options = options(append(opts, box.opts...))
	for _, f := range []func(*spawn.Spec){s.spec, box.spec} {
		if f != nil {
			f(&c.Spec)
		}
	}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	var e *spawn.Error
	if errors.As(err, &e) || c.ProcessState == nil {
		return "broken: " + err.Error()
	}
	if stderr.Len() > 0 {
		s.Logf("%s", stderr.Bytes())
	}
	if c.ProcessState.Signal != 0 {
		return signalName(c.ProcessState.Signal)
	}
	return ending(out, 0, err)
}

// inside is where the test binary is in a sandbox.
const inside = "/tmp/attempt"

func ending(out []byte, status syscall.WaitStatus, err error) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	switch last := lines[len(lines)-1]; {
	case status.Signaled():
		return signalName(status.Signal())
	case last == "":
		return "broken: it says nothing: " + word(err)
	default:
		return last
	}
}

func signalName(sig syscall.Signal) string {
	if sig == syscall.SIGSYS {
		return "SIGSYS"
	}
	return sig.String()
}

func options(list []string) (all []spawn.Option) {
	for _, o := range list {
		k, v, _ := strings.Cut(o, "=")
		all = append(all, spawn.Option{Key: k, Value: v})
	}
	return all
}

func join(layers []layer) string {
	var words []string
	for _, l := range layers {
		words = append(words, string(l))
	}
	return strings.Join(words, ",")
}

// word returns one that no other scene has.
func (s *scene) word() string { return filepath.Base(s.folder()) }
