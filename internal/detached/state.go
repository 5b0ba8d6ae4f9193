package detached

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A State says what has become of a detached child.
type State string

// States of a detached child.
const (
	Running State = "running" // as far as its keeper has said: it is there
	Ended   State = "ended"   // and how is known
	Lost    State = "lost"    // how it ended will never be known
	Unknown State = "unknown" // that cannot be told from here
)

// Look returns what has become of a child, and for all states but Running why. The
// status is that of a child that has Ended, or that is Lost. It asks nobody, and
// signals nobody.
func (r Record) Look() (state State, status spawn.ExitStatus, reason string) {
	if state, status, reason = r.noted(); state != Unknown {
		return state, status, reason
	}
	lost := func(reason string) (State, spawn.ExitStatus, string) {
		return Lost, spawn.LostStatus(reason), reason
	}
	switch {
	case r.Boot != linux.BootID():
		return lost("the system was started anew before its exit was noted")
	case r.Space != linux.PidSpace():
		return Unknown, status, "its keeper is in another namespace of processes"
	case r.Keeper.Alive():
		return Running, status, ""
	}
	// The exit is noted before the keeper goes: it may have been just now.
	if state, status, reason = r.noted(); state != Unknown {
		return state, status, reason
	}
	reason = fmt.Sprintf("its keeper, process %d, was killed and has noted no exit", r.Keeper.Pid)
	if r.Child.Start != 0 && r.Child.Alive() {
		reason += fmt.Sprintf("; the child, process %d, is still there, in nobody's care", r.Child.Pid)
	}
	return lost(reason)
}

// noted returns the exit that the keeper has noted, or Unknown.
func (r Record) noted() (State, spawn.ExitStatus, string) {
	status, err := keeper.ReadExit(r.Dir, r.Nonce)
	switch {
	case err == nil && status.Source == spawn.Lost:
		return Lost, status, status.Reason
	case err == nil:
		return Ended, status, status.String()
	case errors.Is(err, fs.ErrNotExist):
		return Unknown, spawn.ExitStatus{}, ""
	}
	reason := "its keeper's note of the exit cannot be read: " + err.Error()
	return Lost, spawn.LostStatus(reason), reason
}

// Here reports whether pids in the record are meant as this process means them: in
// this boot and these namespaces.
func (r Record) Here() bool {
	return r.Boot == linux.BootID() && r.Space == linux.PidSpace()
}
