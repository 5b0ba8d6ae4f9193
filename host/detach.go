package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/detached"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// DetachOptions say how a child is detached. The zero value is ready for use.
type DetachOptions struct {
	// Name is what lists call the child. Empty means the last part of its
	// program's path.
	Name string

	// Method is the key of the spawn method. Empty means the host's selected
	// one.
	Method string

	// KeepOrphans lets what the child leaves behind when it ends live on as
	// long as it likes: the child may be a program that makes a daemon of itself.
	// Detached.Stop still ends all of it. Otherwise it is ended as soon as the
	// child has: SIGTERM, and after a second SIGKILL.
	KeepOrphans bool
}

// StartDetached starts a child that outlives the host: neither Close nor the
// host's death ends it. It has a keeper of its own, which notes its exit, for this
// host or any later one of the same user to learn by [Host.Adopt]. A reference to
// it is in [Detached.Ref]; a host that dies before it has stored that finds the
// child in the list that package inspect makes. The start is bounded by ctx and
// Timeouts.Spawn. When it fails, or the host dies in the middle of it, nothing is
// left running.
//
// What ties a child to its host is refused or taken away. The child leads a
// session of its own, whatever Spec.Session and NewGroup say; any other Group,
// Terminal and Foreground are refused. Its 0, 1 and 2 are files or devices such
// as /dev/null: a terminal, a pipe or a socket is refused (syscall.EINVAL), for it would
// end with the host; a log is what a file is for. What it is given beyond these
// three is the caller's to know. An empty Dir is the host's working directory at the
// time of the call, which must have a path.
//
// It is for Linux alone, and for methods that make plans: the error is of kind
// spawn.ErrUnavailable or matches errors.ErrUnsupported.
func (h *Host) StartDetached(ctx context.Context, spec spawn.Spec, o DetachOptions) (*Detached, error) {
	if o.Method == "" {
		o.Method = string(h.Selected())
	}
	m, bounded, done, err := h.begin(ctx, o.Method)
	if err != nil {
		return nil, err
	}
	defer done()
	defer m.waiting(waitSpawn, spec.Path, until(bounded)).end()
	if err := detachSpec(&spec); err != nil {
		return nil, withKey(err, m.entry.Key)
	}
	bounded, obs := h.observe(bounded, Operation{Kind: OpSpawn, Method: m.entry.Key, Path: spec.Path, Detached: true})
	given := spec.Env != nil
	plan, err := m.planFor(bounded, &spec, os.Environ)
	h.addEnviron(bounded, &spec, given)
	if err == nil && plan == nil {
		err = &spawn.Error{Phase: spawn.PhasePlan, Err: errors.ErrUnsupported, Msg: "its children are not local processes: they cannot be detached"}
	}
	var d *Detached
	if err == nil {
		d, err = h.launchDetached(bounded, plan, &spec, o)
	}
	if errors.Is(err, spawn.ErrCanceled) && ctx.Err() == nil {
		err = &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart, Msg: "it was closed while the child was being started"}
	}
	err = withKey(err, m.entry.Key)
	if obs != nil {
		out := Outcome{Ended: time.Now(), Err: err}
		if err == nil {
			out.Pid = d.Pid()
		}
		obs.End(out)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// detachSpec refuses what would tie a child to its host, and unties the rest.
func detachSpec(spec *spawn.Spec) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	refuse := func(msg string) error {
		return &spawn.Error{Phase: spawn.PhaseResolve, Op: "detach", Errno: errInvalid, Msg: msg}
	}
	switch {
	case spec.Terminal != nil || spec.Foreground != nil:
		return refuse("Terminal and Foreground: a detached child has no terminal, which would end it by a hangup")
	case spec.Group > 0:
		return refuse(fmt.Sprintf("Group %d: a detached child leads a session of its own", spec.Group))
	}
	for i, f := range spec.Files[:min(len(spec.Files), 3)] {
		if what := tie(f); what != "" {
			return refuse(fmt.Sprintf("descriptor %d is %s: a detached child's 0, 1 and 2 are files, or /dev/null", i, what))
		}
	}
	spec.Session, spec.Group = true, spawn.HostGroup
	if !filepath.IsAbs(spec.Dir) { // the keeper is in another
		cwd, err := os.Getwd()
		if err != nil {
			return &spawn.Error{Phase: spawn.PhaseResolve, Op: "getcwd", Err: err, Msg: "a detached child needs a directory that has a path"}
		}
		spec.Dir = filepath.Join(cwd, spec.Dir)
	}
	return nil
}

// tie says what a file is that ends with somebody else, or nothing.
func tie(f *os.File) string {
	if f == nil {
		return ""
	}
	st, err := f.Stat()
	if err != nil {
		return "" // what is wrong with it is said later
	}
	switch mode := st.Mode(); {
	case mode&os.ModeNamedPipe != 0:
		return "a pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	case mode&os.ModeCharDevice != 0:
		if _, err := linux.GetWindowSize(int(f.Fd())); err == nil {
			return "a terminal"
		}
	}
	return ""
}

// launchDetached has a new keeper launch a child, and lets go of both.
func (h *Host) launchDetached(ctx context.Context, plan *cachedPlan, spec *spawn.Spec, o DetachOptions) (d *Detached, err error) {
	if !plan.plan.Reusable {
		defer plan.plan.CloseFiles()
	}
	l, err := newLaunch(plan, spec)
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(spec)
	defer runtime.KeepAlive(plan)
	rec := detached.New()
	rec.Name, rec.Program, rec.Method, rec.Keep = o.Name, spec.Path, o.Method, o.KeepOrphans
	if rec.Name == "" {
		rec.Name = filepath.Base(spec.Path)
	}
	if rec.Dir, err = detachedFolder(rec.FolderName()); err != nil {
		return nil, err
	}
	now := h.gather.now()
	k, err := keeper.StartDetached(ctx, keeper.Config{Folder: rec.Dir})
	if err != nil {
		removeFolder(rec.Dir)
		return nil, err
	}
	d = newDetached(h, rec)
	defer d.use()()
	if err = d.begin(ctx, k, l, plan, now); err != nil {
		d.Close()
		k.Close(0, killTime) // bounded; it ends what there is
		removeFolder(rec.Dir)
		return nil, explainExec(err, spec)
	}
	k.Leave()
	return d, nil
}

// begin launches the child and detaches it. Before its last step all of it ends
// with the host, and can be taken back.
func (d *Detached) begin(ctx context.Context, k *keeper.Client, l *keeper.Launch, plan *cachedPlan, now inherited) error {
	pid, err := k.Prepare(ctx, d.rec.Nonce, d.rec.Keep)
	for try := 0; errors.Is(err, os.ErrNotExist) && try < maxTries; try++ {
		// Another host that ended has removed the folder above, which was empty.
		if _, err = detachedFolder(filepath.Base(d.rec.Dir)); err == nil {
			pid, err = k.Prepare(ctx, d.rec.Nonce, d.rec.Keep)
		}
	}
	if err != nil {
		return err
	}
	failpoint.Pass(failpoint.HostDetachReady)
	d.rec.Keeper, _ = runfolder.ProcessOf(pid)
	if l.Plan, err = plan.encode(keeperBase(now, pid), now); err != nil {
		return err
	}
	started, err := k.Launch(ctx, l, func(keeper.Exit) {})
	if err != nil {
		return err
	}
	if started.Pidfd >= 0 {
		closeFD(started.Pidfd)
	}
	d.rec.Child.Pid = started.Pid
	if s, err := linux.ReadStat(started.Pid); err == nil && s.Parent == pid {
		d.rec.Child.Start = s.StartTime
	}
	if err := d.rec.Write(); err != nil {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "detach", Err: err}
	}
	failpoint.Pass(failpoint.HostDetachNoted)
	if _, err := d.dial(ctx); err != nil {
		return err
	}
	err = k.Detach(ctx)
	failpoint.Pass(failpoint.HostDetachDone)
	return err
}

// maxDetached is how long the path of a detached child's folder may be: there is
// one socket in it, "control", whose path has 107 bytes at most.
const maxDetached = 107 - len("/control")

// maxTries bounds how often a folder is made again that somebody else removes.
const maxTries = 100

// detachedFolder returns the path of the folder of a detached child, where runtime
// folders are made. The folder above it is there then.
func detachedFolder(name string) (path string, err error) {
	var tried string
	for _, base := range runfolder.Bases(os.Geteuid()) {
		path := filepath.Join(base, name)
		err := error(nil)
		if n := len(path); n > maxDetached {
			err = fmt.Errorf("%s: %d bytes, at most %d leave room for a socket's name", path, n, maxDetached)
		} else {
			err = mkdirPrivate(base)
		}
		if err == nil || os.IsExist(err) {
			// One that has just been removed is made again: see begin.
			if err = runfolder.CheckPrivate(base, os.Geteuid()); err == nil || os.IsNotExist(err) {
				return path, nil
			}
		}
		if why := "; " + err.Error(); !strings.HasSuffix(tried, why) {
			tried += why
		}
	}
	return "", &spawn.Error{Phase: spawn.PhaseStart, Op: "detach", Msg: "no place for the child's folder: set $XDG_RUNTIME_DIR or $TMPDIR to a folder that can be written to" + tried}
}

// removeFolder removes the folder of a detached child, and its base when that is
// empty.
func removeFolder(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	os.Remove(filepath.Dir(dir))
	return nil
}
