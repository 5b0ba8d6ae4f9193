package registry

import (
	"fmt"
	"path/filepath"
)

// A Status says how far a method can be relied on.
type Status string

// The statuses of a method. The empty one is that of a plugin binary which has
// not been asked yet, and of which no lock file says anything.
const (
	// Stable: its behaviour is held by the conformance kit.
	Stable Status = "stable"
	// Experimental: it works, and may change.
	Experimental Status = "experimental"
	// Blocked: it is known not to work, and refuses with the reason.
	Blocked Status = "blocked"
)

// An Entry is one registered method and what stands behind it: either a
// function of this program or a plugin binary, exactly one of the two.
type Entry struct {
	Key     SpawnMethodKey
	Status  Status // built-in: empty means Stable; plugin binary: empty means not known yet
	Summary string // one line for lists and completion

	// Schema is a JSON Schema of the method's options, an object with a
	// property for each. Empty says nothing of them.
	Schema string

	// Claims are what children can have, for the conformance kit: see
	// package sdk. Empty claims everything.
	Claims []string

	// Reason, Alternative and Analysis explain a Blocked method, which must
	// have all three: why it cannot work, the key to use instead, and the
	// document with the evidence, relative to the repository. Scenario is
	// the smoke test that demonstrates it, if there is one.
	Reason, Alternative, Analysis, Scenario string

	// Serve serves a built-in method in a process of its own, which was
	// re-executed for it, and returns that process's exit code.
	Serve func() int

	// Early says that the program can serve plans of the method before it is
	// initialised, from the initialiser of a package: see backends/early. It
	// is offered to do so. Serve is called when anything else is wanted.
	Early bool

	// Path is the plugin binary of a method that is not built in. It is
	// absolute, so that it means the same in every process. Nothing is known
	// about the file: who executes it checks it first.
	Path string

	// Pin is the checksum that the plugin binary must have to be executed,
	// and PinnedBy says for people who wants it so: "FILE:LINE" of a lock
	// file. Both are empty for one that is executed whatever it contains.
	Pin      Pin
	PinnedBy string
}

// Builtin reports whether a function of this program serves the method.
func (e Entry) Builtin() bool { return e.Serve != nil }

// Source says where the method comes from, for people: "built-in" or the path
// of the plugin binary.
func (e Entry) Source() string {
	if e.Builtin() {
		return "built-in"
	}
	return e.Path
}

// check returns what is wrong with e, in words that name the key.
func (e Entry) check() error {
	if _, err := ParseKey(string(e.Key)); err != nil {
		return err
	}
	bad := func(format string, a ...any) error {
		return fmt.Errorf("spawn method %s: %s", e.Key, fmt.Sprintf(format, a...))
	}
	switch {
	case e.Serve == nil && e.Path == "":
		return bad("nothing serves it: want Serve or Path")
	case e.Serve != nil && e.Path != "":
		return bad("both Serve and Path (%s) are set: want one of them", e.Path)
	case e.Path != "" && !filepath.IsAbs(e.Path):
		return bad("plugin path %q is relative: want an absolute one", e.Path)
	case e.Early && e.Serve == nil:
		return bad("Early without Serve: a plugin binary is not this program")
	}
	if err := e.checkPin(bad); err != nil {
		return err
	}
	switch e.Status {
	case "", Stable, Experimental:
		return nil
	case Blocked:
		return e.checkBlocked(bad)
	}
	return bad("status %q: want %s, %s or %s", e.Status, Stable, Experimental, Blocked)
}

// checkPin holds that a pin pins something.
func (e Entry) checkPin(bad func(string, ...any) error) error {
	switch {
	case e.Pin == "" && e.PinnedBy == "":
		return nil
	case e.Pin == "":
		return bad("PinnedBy (%s) without a Pin: set that too", e.PinnedBy)
	case e.Builtin():
		return bad("a built-in method cannot be pinned: it is this program itself")
	}
	if _, err := ParsePin(string(e.Pin)); err != nil {
		return bad("%v", err)
	}
	return nil
}

// checkBlocked holds a stub to its purpose: to say why, and what to do instead.
func (e Entry) checkBlocked(bad func(string, ...any) error) error {
	switch {
	case e.Reason == "":
		return bad("it is blocked without a Reason: say in a sentence why it cannot work")
	case e.Alternative == "":
		return bad("it is blocked without an Alternative: name the method to use instead")
	case e.Alternative == string(e.Key):
		return bad("it is blocked and its own Alternative: name another method")
	case e.Analysis == "":
		return bad("it is blocked without an Analysis: name the document with the evidence")
	}
	if _, err := ParseKey(e.Alternative); err != nil {
		return bad("its Alternative is no key: %v", err)
	}
	return nil
}
