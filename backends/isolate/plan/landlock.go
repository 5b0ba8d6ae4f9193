package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/landlock"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A LandlockRule is something that Landlock allows. The first rule about paths
// forbids to every file what no rule allows, the first about ports does so for
// TCP; a file keeps being forbidden what its mount or its owner forbids.
type LandlockRule struct {
	Allow LandlockAccess
	Path  string // for the accesses to files: a file, or a folder and all below it, as the child sees it
	Port  uint16 // for the accesses to ports
}

// A LandlockAccess is what a rule allows.
type LandlockAccess string

// The accesses. Of files none but those below the child's own /proc and /dev are
// accessible without a rule. A path may have several rules: to write a program
// and to run it takes LandlockWrite and LandlockExec.
const (
	LandlockRead    LandlockAccess = "ro"      // reading and listing, Linux 6.2
	LandlockExec    LandlockAccess = "exec"    // that, and executing
	LandlockWrite   LandlockAccess = "rw"      // reading, writing, making and removing
	LandlockBind    LandlockAccess = "bind"    // binding a TCP socket to Port, Linux 6.7; 0 is a port of the kernel's choice
	LandlockConnect LandlockAccess = "connect" // connecting one to Port, Linux 6.7
	LandlockScope   LandlockAccess = "scope"   // nothing: abstract Unix sockets and signals of others are out of reach, Linux 6.12
	LandlockOff     LandlockAccess = "off"     // all: see Options.Landlock
)

// files returns the accesses to files that a rule stands for.
func (a LandlockAccess) files() landlock.Access {
	switch a {
	case LandlockRead:
		return landlock.Read
	case LandlockExec:
		return landlock.Read | landlock.Execute
	case LandlockWrite:
		return landlock.Read | landlock.Write | landlock.Make
	}
	return 0
}

// ports returns the accesses to ports that a rule stands for.
func (a LandlockAccess) ports() landlock.Net {
	switch a {
	case LandlockBind:
		return landlock.Bind
	case LandlockConnect:
		return landlock.Connect
	}
	return 0
}

// parseLandlock reads ACCESS[:PATH or PORT].
func parseLandlock(value string) (LandlockRule, error) {
	access, of, _ := strings.Cut(value, ":")
	r := LandlockRule{Allow: LandlockAccess(access)}
	if r.Allow.ports() == 0 {
		r.Path = of
		return r, nil
	}
	n, err := strconv.ParseUint(of, 10, 16)
	r.Port = uint16(n)
	return r, err
}

// String returns the option's value that is read as r.
func (r LandlockRule) String() string {
	switch {
	case r.Allow.ports() != 0:
		return fmt.Sprintf("%s:%d", r.Allow, r.Port)
	case r.Path != "":
		return string(r.Allow) + ":" + r.Path
	}
	return string(r.Allow)
}

// ownFolders are the child's own, without which hardly any program starts.
func ownFolders() []landlock.Path {
	return []landlock.Path{
		{Path: "/dev", Access: landlock.Read | landlock.Write | landlock.Make},
		{Path: "/proc", Access: landlock.Read | landlock.Write},
	}
}

// allFiles are the accesses that rules about paths forbid elsewhere. What is
// done to a device by ioctl is left alone: those that the child has are its own,
// or were given to it.
const allFiles = landlock.AllFiles &^ landlock.Ioctl

// policy returns what the rules make of Landlock.
func (o *Options) policy(places *places) landlock.Policy {
	var p landlock.Policy
	for _, r := range o.Landlock {
		switch files, ports := r.Allow.files(), r.Allow.ports(); {
		case files != 0:
			there, folder := places.has(r.Path)
			p.Paths = append(p.Paths, landlock.Path{Path: r.Path, Access: files, File: there && !folder})
			p.Files = allFiles
		case ports != 0:
			p.Ports = append(p.Ports, landlock.Port{Port: r.Port, Access: ports})
			p.TCP = landlock.Bind | landlock.Connect
		case r.Allow == LandlockScope:
			p.Scope = landlock.AbstractSockets | landlock.Signals
		}
	}
	if p.Files != 0 {
		p.Paths = append(ownFolders(), p.Paths...)
	}
	return p
}

// scoped is the ABI of Landlock since which there are scopes, that of Linux 6.12.
const scoped = 6

// landlock adds the steps of Landlock. They come behind process 1, which needs no
// such fence, and first there: a limit of the Spec may leave no room for
// descriptors.
//
// In the host's network, abstract Unix sockets of the host are out of reach by
// default where the kernel has that; a network of the child's own has none. In the
// host's process group, so are signals to others of that. A child that is another user
// without a user namespace has the same fence, for what comes with any: it cannot look
// into processes outside, where it should find their names in a procfs of somebody's.
func (l *list) landlock(o *Options, s *spawn.Spec, places *places) error {
	p, abi := o.policy(places), 0
	another := s.Credential != nil && !o.landlockOff()
	byDefault := !o.landlockOff() && (o.HostNetwork || !ownGroup(s, o) || another)
	if p.Restricts() || byDefault {
		abi, _ = linux.LandlockABI() // 0 where there is none
	}
	if o.HostNetwork && byDefault && abi >= scoped {
		p.Scope |= landlock.AbstractSockets
	}
	if o.fencesSignals(s) || another && abi >= scoped {
		p.Scope |= landlock.Signals
	}
	return l.fence(p, abi, o.mayLack(LayerLandlock))
}

func (o *Options) landlockOff() bool {
	return len(o.Landlock) > 0 && o.Landlock[0].Allow == LandlockOff
}

// fencesSignals reports whether Landlock keeps a child in the host's process group
// from signalling the others there.
func (o *Options) fencesSignals(s *spawn.Spec) bool {
	if ownGroup(s, o) || o.landlockOff() {
		return false
	}
	abi, _ := linux.LandlockABI()
	return abi >= scoped
}

// fence adds the steps of a policy, as much of it as a kernel can do if that is
// to be enough.
func (l *list) fence(p landlock.Policy, abi int, mayLack bool) error {
	p, missing := p.On(abi)
	if len(missing) > 0 && !mayLack {
		return lacking(missing, abi)
	}
	for _, m := range missing {
		l.note("landlock: %s", m)
	}
	for _, s := range p.Steps(len(l.steps)) {
		if s.Note == "" {
			s = s.Noted("Landlock")
		}
		l.add(s)
	}
	return nil
}

// lacking is the error of a kernel that cannot do what the rules ask.
func lacking(missing []landlock.Missing, abi int) error {
	var all []string
	for _, m := range missing {
		all = append(all, m.String())
	}
	msg := fmt.Sprintf("landlock: %s; this kernel has ABI %d of it", strings.Join(all, "; "), abi)
	return &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrUnavailable, Msg: msg}
}
