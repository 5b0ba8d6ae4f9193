package inspect

import (
	"fmt"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/detached"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Detached is a child that outlives its host: see host.Host.StartDetached.
type Detached struct {
	Ref     string    `json:"ref"` // for host.Host.Adopt
	Name    string    `json:"name"`
	Program string    `json:"program"`
	Method  string    `json:"method"`
	Since   time.Time `json:"since"`
	Pid     int       `json:"pid"`
	Keeper  int       `json:"keeper"` // its pid
	State   string    `json:"state"`  // StateRunning, StateEnded, StateLost or StateUnknown
	Reason  string    `json:"reason"` // why it is believed to be in this state: how it ended; or empty
	Folder  string    `json:"folder"`

	// Status is how it has ended, or that this is lost. Its Time is zero for a
	// child that is running.
	Status spawn.ExitStatus `json:"-"`
}

// States of a Detached, with StateUnknown.
const (
	StateRunning = "running"
	StateEnded   = "ended" // its status is kept until it is forgotten
	StateLost    = "lost"  // its status cannot be known any more
)

// ListDetached returns the detached children of the calling user that there are in
// the places where Reap looks, the oldest first, those included that have ended and have not been
// forgotten. It asks nobody and changes nothing.
func ListDetached() []Detached {
	records, _ := detached.List()
	list := []Detached{}
	for _, r := range records {
		d := Detached{
			Ref: r.Ref(), Name: r.Name, Program: r.Program, Method: r.Method, Since: r.Since,
			Pid: r.Child.Pid, Keeper: r.Keeper.Pid, Folder: r.Dir,
		}
		var state detached.State
		state, d.Status, d.Reason = r.Look()
		d.State = string(state)
		list = append(list, d)
	}
	return list
}

// judgeDetached returns the folders that are to be reaped of detached children: of
// those that were asked for, and of those that have never been. A child is not
// ended by reaping it: it is an error to ask for one that may be running, or whose
// status is there for somebody to read.
func judgeDetached(refs []string, list []Detached) (folders []Folder, err error) {
	wrong := func(ref, msg string) error {
		return &spawn.Error{Phase: spawn.PhaseStop, Op: "reap", Errno: syscall.EINVAL, Msg: fmt.Sprintf("%q: %s", ref, msg)}
	}
	byRef := map[string]Detached{}
	for _, d := range list {
		byRef[d.Ref] = d
	}
	for _, ref := range refs {
		d, ok := byRef[ref]
		switch {
		case !ok:
			return nil, wrong(ref, "no such detached child")
		case d.State != StateLost:
			return nil, wrong(ref, "the child is not lost, but "+d.State+": adopt it")
		}
		r, err := detached.Read(d.Folder)
		if err != nil {
			return nil, err
		}
		folders = append(folders, Folder{
			Path: d.Folder, State: StateGone, Reason: d.Reason, Left: []Process{}, Sockets: sockets(d.Folder), Made: []string{}, recorded: r.Here(),
		})
	}
	_, unnamed := detached.List()
	for _, dir := range unnamed {
		f := Folder{Path: dir, Left: []Process{}, Sockets: sockets(dir), Made: []string{}}
		f.State, f.Reason = judgeUnnamed(dir, &f)
		folders = append(folders, f)
	}
	return folders, nil
}
