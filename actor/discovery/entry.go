package discovery

import (
	"unicode"
	"unicode/utf8"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

// An Entry is what a registrar knows of an actor.
type Entry struct {
	Name  string         `json:"name"` // several actors may have the same
	UID   string         `json:"uid"`  // the actor's own, see actor.Actor
	Addrs []address.Addr `json:"addrs"`
	Host  string         `json:"host,omitempty"` // where its Unix sockets are, see Config
}

// check says what is wrong with an entry that somebody wants to register.
func (e *Entry) check() error {
	const op = "register"
	if err := checkName(op, e.Name); err != nil {
		return err
	}
	switch {
	case e.UID == "" || len(e.UID) > maxUID:
		return invalid(op, "actor %q: a uid of %d bytes: want 1 to %d", e.Name, len(e.UID), maxUID)
	case len(e.Host) > maxName:
		return invalid(op, "actor %q: a host of %d bytes: at most %d", e.Name, len(e.Host), maxName)
	case len(e.Addrs) == 0 || len(e.Addrs) > maxAddrs:
		return invalid(op, "actor %q: %d addresses: want 1 to %d", e.Name, len(e.Addrs), maxAddrs)
	}
	for _, a := range e.Addrs {
		if err := a.Reachable(); err != nil {
			return err
		}
	}
	return nil
}

func checkName(op, name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return invalid(op, "a name of %d bytes: want 1 to %d bytes of UTF-8", len(name), maxName)
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return invalid(op, "the name %q: no control characters in names", name)
		}
	}
	return nil
}
