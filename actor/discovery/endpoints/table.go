package endpoints

import (
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

// A Table says at which addresses actors are.
type Table struct {
	Actors []Actor // in the order of the file; no name is there twice
}

// An Actor is the entry of one actor.
type Actor struct {
	Name  string
	Addrs []address.Addr // in the order of the file; may be empty
	Line  int            // of the file, counted from 1
}

// Lookup returns the actor of a name.
func (t *Table) Lookup(name string) (Actor, bool) {
	for _, a := range t.Actors {
		if a.Name == name {
			return a, true
		}
	}
	return Actor{}, false
}
