package plan

import (
	"fmt"
	"os"

	"github.com/hatchery-spawn/hatchery/internal/capability"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An identity is who the child is, outside of the sandbox and in it.
type identity struct {
	uid, gid     int    // outside
	inUID, inGID uint32 // in a user namespace of the child's own
	ids          IDRange
	credential   *spawn.Credential
	ownNamespace bool
}

// newIdentity decides how the child gets its ids. It has a user namespace of its
// own, with a single id, so that it needs no rights and has none outside. One id
// is all that such a namespace can have without help from outside; root can help,
// and give it a range. A Spec that asks root for another identity has that in
// place of a user namespace.
func newIdentity(o *Options, s *spawn.Spec) (*identity, error) {
	u := &identity{uid: os.Geteuid(), gid: os.Getegid(), ids: o.IDs, ownNamespace: true}
	own := u.ids == IDRange{}
	if own {
		u.inUID, u.inGID = uint32(u.uid), uint32(u.gid)
	}
	if o.UID != nil {
		u.inUID = *o.UID
	}
	if o.GID != nil {
		u.inGID = *o.GID
	}
	c := s.Credential
	switch {
	case !own && u.uid != 0:
		return nil, unsupported("ids: only root can give a child ids of a range; uid and gid are what it sees as its own")
	case c == nil:
	case !own:
		return nil, badOption("ids contradict the Credential of the Spec: want either")
	case o.UID != nil || o.GID != nil:
		return nil, badOption("uid and gid contradict the Credential of the Spec: want either")
	case o.ownTime():
		return nil, badOption("clock contradicts the Credential of the Spec, with which no right is left to set it: want either")
	case u.uid != 0:
		return nil, unsupported("Credential: only root can give a child another identity; uid and gid are what it sees as its own")
	default:
		u.credential, u.ownNamespace = c, false
	}
	return u, nil
}

// flags returns the namespaces that the child has of its own.
func (u *identity) flags(o *Options) uint64 {
	flags := uint64(cloneNewNS | cloneNewPID | cloneNewIPC | cloneNewUTS | cloneNewCgroup)
	if u.ownNamespace {
		flags |= cloneNewUser
	}
	if !o.HostNetwork {
		flags |= cloneNewNet
	}
	return flags
}

// maps adds the steps that give the user namespace its ids. The kernel lets a
// process map its own ids alone, and its group only when it can no longer drop
// groups: a group may be what forbids something.
func (u *identity) maps(l *list) {
	switch {
	case !u.ownNamespace:
		return
	case u.ids != IDRange{}:
		u.ids.maps(l)
		return
	}
	write := func(path, text, note string) {
		f := l.add(spawn.Open(spawn.Str(path), oWronly, 0).Noted(note))
		l.add(spawn.Write(f, spawn.Str(text)).Noted(note))
		l.add(spawn.Close(f))
	}
	write("/proc/self/setgroups", "deny", "user namespace: setgroups")
	write("/proc/self/uid_map", fmt.Sprintf("%d %d 1", u.inUID, u.uid), noteMap)
	write("/proc/self/gid_map", fmt.Sprintf("%d %d 1", u.inGID, u.gid), noteMap)
}

// become adds the steps by which a child with a range of ids becomes one of them.
// They come when it has opened what it can only as the host's user, and before it
// makes files, which are to be its own.
func (u *identity) become(l *list) {
	if u.ids == (IDRange{}) {
		return
	}
	l.add(spawn.Setgroups())
	l.add(spawn.Setresgid(u.inGID))
	l.add(spawn.Setresuid(u.inUID))
}

// confine adds the steps that take every right away, for good. They come before
// process 1, which needs none either. What its child needs yet for its clocks
// process 1 loses when it is executed.
func (u *identity) confine(l *list, s *spawn.Spec, o *Options) {
	l.add(spawn.NoNewPrivs())
	l.add(spawn.Securebits(uint32(capability.Sealed)))
	l.add(spawn.Bound(0))
	l.add(spawn.AmbientClear())
	if c := u.credential; c != nil {
		if !c.KeepGroups {
			l.add(spawn.Setgroups(c.Groups...))
		}
		l.add(spawn.Setresgid(c.GID))
		l.add(spawn.Setresuid(c.UID))
	}
	var rights uint64
	if o.ownTime() {
		rights = timeRights
	}
	l.add(spawn.Capset(rights, rights, 0))
}
