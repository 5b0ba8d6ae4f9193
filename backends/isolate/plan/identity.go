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
	credential   *spawn.Credential
	ownNamespace bool
}

// newIdentity decides how the child gets its ids. It has a user namespace of its
// own, with a single id, so that it needs no rights and has none outside. The
// exception is a Spec that asks root for another identity: one id is all that
// such a namespace can have without help from outside, and root can do without
// it.
func newIdentity(o *Options, s *spawn.Spec) (*identity, error) {
	u := &identity{uid: os.Geteuid(), gid: os.Getegid(), ownNamespace: true}
	u.inUID, u.inGID = uint32(u.uid), uint32(u.gid)
	if o.UID != nil {
		u.inUID = *o.UID
	}
	if o.GID != nil {
		u.inGID = *o.GID
	}
	c := s.Credential
	switch {
	case c == nil:
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
	if !u.ownNamespace {
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
