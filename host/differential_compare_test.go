//go:build linux && (amd64 || arm64)

package host_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A comparer starts every wish twice and compares.
type comparer struct {
	maker
	h       *host.Host
	key     string
	history []string // how this host has changed
}

// compare makes a wish and says what differs.
func (d *comparer) compare() {
	w := d.wish()
	if d.key == isolatedKey {
		isolatedWish(w, d.dir)
	}
	if w.joins {
		leader := exec.Command(d.dir + "/pause")
		leader.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := leader.Start(); err != nil {
			fmt.Println(err)
			return
		}
		defer leader.Wait()
		defer leader.Process.Kill()
		w.spec.Group = leader.Process.Pid
	}
	var theirs, ours look
	var theirErr, ourErr error
	if w.oursFirst {
		ours, ourErr = d.ours(w)
	}
	theirs, theirErr = d.theirs(w)
	if !w.oursFirst {
		ours, ourErr = d.ours(w)
	}
	var bad []string
	if errnoOf(theirErr) != errnoOf(ourErr) || (theirErr == nil) != (ourErr == nil) {
		bad = append(bad, fmt.Sprintf("error: os/exec %v, here %v", theirErr, ourErr))
	} else if theirErr == nil {
		if d.key == isolatedKey {
			maps.DeleteFunc(theirs, func(name, value string) bool { // of its own user namespace a user sees more
				unseen := strings.HasPrefix(value, "error: ")
				if unseen {
					delete(ours, name)
				}
				return unseen
			})
		}
		bad = differences(theirs, ours, d.allowed)
	}
	if len(bad) > 0 {
		fmt.Printf("%s\nthe host's changes: %q\n%v\n\n", strings.Join(bad, "\n"), d.history, w)
	}
}

func errnoOf(err error) (errno syscall.Errno) {
	errors.As(err, &errno)
	return errno
}

// allowed reports whether name may differ.
func (d *comparer) allowed(name string) bool {
	return allowed(name) || d.key == isolatedKey && isolatedDifference(name)
}

// differences lists what the two do not have in common and may not differ in.
func differences(theirs, ours look, allowed func(name string) bool) (bad []string) {
	names := maps.Clone(theirs)
	maps.Copy(names, ours)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := theirs[name], ours[name]
		if a != b && !allowed(name) {
			bad = append(bad, fmt.Sprintf("%s:\nos/exec %.3000q\nhere    %.3000q", name, a, b))
		}
	}
	return bad
}

// ours starts the child here.
func (d *comparer) ours(w *wish) (look, error) {
	p, err := d.start(w)
	if err != nil {
		return nil, err
	}
	pid := p.Pid()
	if d.key == isolatedKey { // that is process 1's
		pid = linux.Children(pid)[0]
	}
	l := lookAt(pid)
	p.Kill()
	p.Wait()
	// Where a difference is allowed it is known what is right here.
	for name, want := range map[string]string{
		"status.SigIgn": fmt.Sprintf("%016x", ignoreMask(w)), "status.SigBlk": "0000000000000000",
	} {
		if l[name] != want {
			return l, fmt.Errorf("%s is %s, want %s", name, l[name], want)
		}
	}
	return l, nil
}

func (d *comparer) start(w *wish) (*host.Process, error) {
	if !w.viaCmd {
		return d.h.StartMethod(context.Background(), d.key, w.spec)
	}
	s := w.spec
	c := d.h.Command(s.Path)
	c.Env, c.Dir, c.Method = s.Env, s.Dir, d.key
	if s.Args != nil || !w.bare {
		c.Args = s.Args
	}
	c.Spec = s
	files := threeAtLeast(s.Files)
	if files[0] != nil {
		c.Stdin = files[0]
	}
	if files[1] != nil {
		c.Stdout = files[1]
	}
	if files[2] != nil {
		c.Stderr = files[2]
	}
	c.ExtraFiles = files[3:]
	err := c.Start()
	return c.Process, err
}

func threeAtLeast(files []*os.File) []*os.File {
	return append(slices.Clone(files), make([]*os.File, max(0, 3-len(files)))...)
}

// ignoreMask is the line SigIgn of a child that ignores what it should.
func ignoreMask(w *wish) (mask uint64) {
	for _, sig := range w.spec.Ignore {
		mask |= 1 << (sig - 1)
	}
	return mask
}

// theirs starts the child by os/exec, and does to it or says of it what os/exec
// cannot do.
func (d *comparer) theirs(w *wish) (look, error) {
	if w.spec.Umask != nil {
		defer syscall.Umask(syscall.Umask(int(*w.spec.Umask)))
	}
	p, err := d.startDirectly(w)
	if err != nil {
		return nil, err
	}
	defer p.Wait()
	defer p.Kill()
	look := lookAt(p.Pid)
	for _, l := range w.spec.Limits {
		name, unit := "Max open files", "files"
		if l.Resource == syscall.RLIMIT_CORE {
			name, unit = "Max core file size", "bytes"
		}
		look["limits."+name] = fmt.Sprintf("%d %d %s", l.Soft, l.Hard, unit)
	}
	if w.spec.NoNewPrivs {
		look["status.NoNewPrivs"] = "1"
	}
	return look, nil
}

func (d *comparer) startDirectly(w *wish) (*os.Process, error) {
	s := w.spec
	sys := &syscall.SysProcAttr{Setsid: s.Session}
	if s.Group != spawn.HostGroup {
		sys.Setpgid, sys.Pgid = true, max(0, s.Group)
	}
	if c := s.Credential; c != nil {
		sys.Credential = &syscall.Credential{Uid: c.UID, Gid: c.GID, Groups: c.Groups, NoSetGroups: c.KeepGroups}
	}
	files := threeAtLeast(s.Files)
	if !w.viaCmd {
		return d.startProcess(s, files, sys)
	}
	c := &exec.Cmd{Path: s.Path}
	if w.bare {
		c = exec.Command(s.Path)
	}
	if s.Args != nil || !w.bare {
		c.Args = s.Args
	}
	c.Env, c.Dir, c.SysProcAttr, c.ExtraFiles = s.Env, s.Dir, sys, files[3:]
	if files[0] != nil {
		c.Stdin = files[0]
	}
	if files[1] != nil {
		c.Stdout = files[1]
	}
	if files[2] != nil {
		c.Stderr = files[2]
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return c.Process, nil // that a Cmd is not waited for costs it nothing: it copies nothing
}

// startProcess is what a Spec is without the conveniences of a Cmd.
func (d *comparer) startProcess(s spawn.Spec, files []*os.File, sys *syscall.SysProcAttr) (*os.Process, error) {
	for i, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_WRONLY} {
		if files[i] == nil {
			null, err := os.OpenFile(os.DevNull, flag, 0)
			if err != nil {
				return nil, err
			}
			defer null.Close()
			files[i] = null
		}
	}
	args := s.Argv()
	path, err := exec.LookPath(s.Path) // as it is, if it has a slash
	if strings.Contains(s.Path, "/") {
		path, err = s.Path, nil
	}
	if err != nil {
		return nil, err
	}
	return os.StartProcess(path, args, &os.ProcAttr{Dir: s.Dir, Env: s.Env, Files: files, Sys: sys})
}
