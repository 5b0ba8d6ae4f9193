package inspect

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/hunt"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// ReapConfig says how to reap. The zero value does it.
type ReapConfig struct {
	// DryRun signals nothing and removes nothing: the report says what would
	// be done.
	DryRun bool

	// Grace is what processes have between SIGTERM and SIGKILL. Zero means
	// one second.
	Grace time.Duration

	// Detached are references to detached children that are lost because their
	// keepers were killed: what is recorded of them is ended, too, and their
	// folders are removed. No other detached child is ever touched.
	Detached []string
}

// A ReapReport says what Reap found, and what it did with it.
type ReapReport struct {
	DryRun   bool       `json:"dry_run"`
	Folders  []Folder   `json:"folders"`
	Detached []Detached `json:"detached"` // which are kept, but for those that were asked for
}

// A Folder is a runtime folder, and what was done with it.
type Folder struct {
	Path    string    `json:"path"`
	Host    int       `json:"host"`    // the pid that its host has, or had
	State   string    `json:"state"`   // StateAlive, StateUnknown or StateGone
	Reason  string    `json:"reason"`  // why it is believed to be in this state
	Left    []Process `json:"left"`    // what is recorded and still there, or is below it
	Sockets []string  `json:"sockets"` // that lie in it
	Made    []string  `json:"made"`    // folders elsewhere, control groups above all, that its keepers made for children; removed with it
	Removed bool      `json:"removed"` // the folder is, or would be, removed
	Error   string    `json:"error"`   // what went wrong, or empty

	recorded bool // its records are of this boot and these namespaces
}

// States of a Folder.
const (
	StateAlive   = "alive"   // its host or a keeper of it lives: it is left alone
	StateUnknown = "unknown" // that cannot be known: it is left alone
	StateGone    = "gone"
)

// A Process is one that was found, and what was done with it.
type Process struct {
	Pid    int    `json:"pid"`
	Name   string `json:"name"`
	Mark   string `json:"mark"`   // why it is ours, or why it is not
	Action string `json:"action"` // ActionEnded and so on
	Error  string `json:"error"`  // why it could not be ended, or empty
}

// Actions of Reap. In a dry run they are what would be done.
const (
	ActionTerminated = "terminated" // by SIGTERM
	ActionKilled     = "killed"     // by SIGKILL
	ActionSpared     = "spared"     // it is not ours, or this very process depends on it
	ActionFailed     = "failed"     // see Process.Error
)

// Ended reports whether nothing of what is to be ended is left.
func (f *Folder) Ended() bool {
	for _, p := range f.Left {
		if p.Action == ActionFailed {
			return false
		}
	}
	return f.Error == ""
}

// defaultGrace is what processes have to end by themselves.
const defaultGrace = time.Second

// Reap ends what hosts of the calling user have left that were killed together
// with their keepers, and removes their runtime folders. See the package's
// documentation for what it takes for left behind. It returns when all of it is
// gone, or Grace and 2 s after it was signalled at the latest; ctx ends it
// sooner.
//
// What could not be ended, or removed, is said in the report, and in the error.
func Reap(ctx context.Context, cfg ReapConfig) (ReapReport, error) {
	if linux.BootID() == "" {
		return ReapReport{}, &spawn.Error{Kind: spawn.ErrUnavailable, Op: "reap", Msg: "there is no /proc on this system"}
	}
	if cfg.Grace <= 0 {
		cfg.Grace = defaultGrace
	}
	report := ReapReport{DryRun: cfg.DryRun, Folders: []Folder{}}
	folders := []Folder{}
	for _, dir := range runfolder.Places(os.Geteuid()) {
		folders = append(folders, judge(dir))
	}
	report.Detached = ListDetached()
	lost, err := judgeDetached(cfg.Detached, report.Detached)
	if err != nil {
		return report, err
	}
	failures := 0
	for _, f := range append(folders, lost...) {
		if f.State == StateGone {
			f.reap(ctx, cfg)
		}
		if !f.Ended() {
			failures++
		}
		report.Folders = append(report.Folders, f)
	}
	if failures > 0 {
		return report, &spawn.Error{Phase: spawn.PhaseStop, Op: "reap", Msg: "not everything could be ended: see the report"}
	}
	return report, nil
}

// newTime is how old a folder without an identity has to be before it is taken
// for left behind.
const newTime = 10 * time.Second

// judge finds out whether a runtime folder's host is there.
func judge(dir string) Folder {
	f := Folder{Path: dir, Left: []Process{}, Sockets: sockets(dir), Made: []string{}}
	id, err := runfolder.Read(dir)
	if err != nil {
		f.State, f.Reason = judgeUnnamed(dir, &f)
		return f
	}
	f.Host = id.Pid
	switch {
	case id.OtherBoot():
		f.State, f.Reason = StateGone, "its host lived before the system was started"
	case !id.Here() && id.Pid == 1 && deserted(dir):
		f.State, f.Reason = StateGone, "its host was the first process of a namespace, which has ended with it"
	case !id.Here():
		f.State, f.Reason = StateUnknown, "its host is of another namespace of processes"
	case id.Alive():
		f.State, f.Reason = StateAlive, "its host is running"
	default:
		f.State, f.Reason, f.recorded = StateGone, "its host and keeper have ended", true
		for _, k := range id.Keepers {
			if k.Alive() {
				f.State, f.Reason = StateAlive, "its keeper is running, and ends what the host has left"
			}
		}
	}
	if f.State == StateGone && !id.OtherBoot() && kept(dir) {
		f.State, f.Reason = StateAlive, "a keeper that is running has this folder"
	}
	return f
}

// deserted reports whether a host has ended, as far as its control socket tells:
// it is there, and nobody listens. A host listens until it removes its folder, or
// for as long as it lives.
func deserted(dir string) bool {
	conn, err := net.DialTimeout("unix", runfolder.Control(dir), answerTime)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// judgeUnnamed is judge for a folder that has no identity: its host was killed
// when it was being opened, or is being opened.
func judgeUnnamed(dir string, f *Folder) (state, reason string) {
	p, _ := runfolder.NamedAfter(filepath.Base(dir))
	f.Host = p.Pid
	st, err := os.Lstat(dir)
	switch {
	case err != nil:
		return StateUnknown, "it has just gone"
	case p.Alive():
		return StateAlive, "its host is running"
	case kept(dir):
		return StateAlive, "a keeper that is running has this folder"
	case time.Since(st.ModTime()) < newTime:
		return StateUnknown, "it has no identity and is new"
	}
	return StateGone, "it has no identity, and no process is what it is named after"
}

// kept reports whether a keeper is running that has dir for its folder, by
// whatever path.
func kept(dir string) bool {
	ours, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for _, pid := range hunt.Pids() {
		if theirs, err := os.Stat(anyKeeperFolder(pid)); err == nil && os.SameFile(ours, theirs) {
			return true
		}
	}
	return false
}

// sockets lists the sockets in a runtime folder and in the folders in it.
func sockets(dir string) []string {
	paths := []string{}
	for _, pattern := range []string{"*", "*/*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range found {
			if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
				paths = append(paths, path)
			}
		}
	}
	return paths
}
