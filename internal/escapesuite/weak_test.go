//go:build linux

package escapesuite

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A layer is a part of the sandbox that can be left out. docs/isolate.md has each
// as a row of its table.
type layer string

// The layers.
const (
	userLayer     layer = "user"     // the user namespace
	pidLayer      layer = "pid"      // the pid namespace, process 1 and the own /proc
	oldRootLayer  layer = "old-root" // the old root is detached, or the root of what is in memory
	pivotLayer    layer = "pivot"    // pivot_root rather than chroot
	readOnlyLayer layer = "readonly" // mounts are read-only
	nosuidLayer   layer = "nosuid"   // mounts are nosuid
	privateLayer  layer = "private"  // /tmp and others are the child's own
	hiddenLayer   layer = "hidden"   // parts of /proc and /sys are covered
	netLayer      layer = "net"      // the network namespace
	ipcLayer      layer = "ipc"      // the ipc namespace
	keyringLayer  layer = "keyring"  // the session keyring
	rightsLayer   layer = "rights"   // no capability, sealed
	nnpLayer      layer = "no-new-privs"
	filterLayer   layer = "filter"
	landlockLayer layer = "landlock"
	timeLayer     layer = "time"
	groupLayer    layer = "group" // a process group of its own
	limitLayer    layer = "limits"
	sealedLayer   layer = "sealed"  // the keeper is executed from a read-only mount
	nullLayer     layer = "null"    // the /dev/null that it is handed is on a read-only mount
	numbersLayer  layer = "numbers" // descriptors are given up before anything is looked up
)

// weak is isolate without the layers that the option "without" names.
type weak struct{ isolate.Backend }

const (
	weakKey = "weak"
	without = "without"
)

func (w weak) Describe() sdk.Description {
	d := w.Backend.Describe()
	d.Key = weakKey
	d.Schema = "" // it has an option more
	return d
}

// Plan makes the plan of isolate and takes layers out of it.
func (w weak) Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	strong := *s
	var off []string
	strong.Options = nil
	for _, o := range s.Options {
		if o.Key == without {
			off = strings.Split(o.Value, ",")
			continue
		}
		strong.Options = append(strong.Options, o)
	}
	p, err := w.Backend.Plan(ctx, &strong)
	if err != nil {
		return nil, err
	}
	p.Steps = slices.Clone(p.Steps)
	if slices.Contains(off, string(numbersLayer)) {
		numbersLast(p.Steps)
	}
	for i := range p.Steps {
		for _, l := range off {
			weaken(&p.Steps[i], layer(l))
		}
	}
	return p, nil
}

// numbersLast has the child look for its working directory while it is still to be
// handed its descriptors, so that it can have given up none.
func numbersLast(steps []spawn.Step) {
	is := func(op spawn.Op) int { return slices.IndexFunc(steps, func(s spawn.Step) bool { return s.Op == op }) }
	files, dir := is(spawn.OpFiles), slices.IndexFunc(steps, func(s spawn.Step) bool {
		return s.Op == spawn.OpChdir && s.Args[0].Kind == spawn.ArgHole
	})
	steps[files], steps[dir] = steps[dir], steps[files]
}

// weaken takes a layer out of a step. What is left out entirely becomes a step that
// does nothing, as others refer to steps by their number.
func weaken(s *spawn.Step, off layer) {
	nothing := spawn.Chdir(spawn.Str("."))
	drop := func(ops ...spawn.Op) {
		if slices.Contains(ops, s.Op) {
			*s = nothing
		}
	}
	namespace := func(flag int64) {
		if s.Op == spawn.OpClone {
			s.Args = slices.Clone(s.Args)
			s.Args[0].Num &^= flag
		}
	}
	switch off {
	case userLayer:
		namespace(unix.CLONE_NEWUSER)
		if s.Op == spawn.OpOpen && strings.HasSuffix(s.Args[0].Str, "_map") || s.Op == spawn.OpOpen && strings.HasSuffix(s.Args[0].Str, "/setgroups") {
			*s = spawn.Open(spawn.Str("/dev/null"), unix.O_WRONLY, 0)
		}
	case pidLayer:
		namespace(unix.CLONE_NEWPID)
		drop(spawn.OpInit, spawn.OpPark)
		switch {
		case s.Op == spawn.OpFsopen && s.Args[0].Str == "proc": // that of the host's it may not have
			*s = spawn.Fsopen("tmpfs", 0)
		case strings.HasPrefix(s.Note, "a /proc"):
			drop(spawn.OpMoveMount, spawn.OpMount)
		}
	case oldRootLayer:
		drop(spawn.OpUmount)
	case pivotLayer:
		drop(spawn.OpUmount)
		if s.Op == spawn.OpPivotRoot {
			*s = spawn.Chroot(spawn.Str("."))
		}
	case readOnlyLayer:
		clearAttribute(s, unix.MOUNT_ATTR_RDONLY)
	case nosuidLayer:
		clearAttribute(s, unix.MOUNT_ATTR_NOSUID)
	case privateLayer:
		switch s.Note {
		case "a /tmp of its own", "a /var/tmp of its own", "a /run of its own":
			drop(spawn.OpMount, spawn.OpMoveMount)
		}
	case hiddenLayer:
		if strings.HasSuffix(s.Note, " is hidden") {
			drop(spawn.OpMoveMount, spawn.OpMount, spawn.OpMountSetattr)
		}
	case netLayer:
		namespace(unix.CLONE_NEWNET)
		drop(spawn.OpLinkUp)
	case ipcLayer:
		namespace(unix.CLONE_NEWIPC)
	case keyringLayer:
		drop(spawn.OpKeyring)
	case rightsLayer:
		drop(spawn.OpSecurebits, spawn.OpBound, spawn.OpAmbientClear, spawn.OpCapset)
	case nnpLayer:
		drop(spawn.OpNoNewPrivs, spawn.OpSeccomp, spawn.OpLandlockRestrict) // without rights the others take the first
	case filterLayer:
		drop(spawn.OpSeccomp)
	case groupLayer:
		drop(spawn.OpSetpgid)
	case landlockLayer:
		drop(spawn.OpLandlockRestrict)
	case timeLayer:
		drop(spawn.OpUnshare)
		if s.Op == spawn.OpOpen && strings.HasSuffix(s.Args[0].Str, "/timens_offsets") {
			*s = spawn.Open(spawn.Str("/dev/null"), unix.O_WRONLY, 0)
		}
	}
}

// clearAttribute makes a step that sets attributes of mounts not set one.
func clearAttribute(s *spawn.Step, attribute int64) {
	if s.Op == spawn.OpMountSetattr {
		s.Args = slices.Clone(s.Args)
		s.Args[3].Num &^= attribute
	}
}
