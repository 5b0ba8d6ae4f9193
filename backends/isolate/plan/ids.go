package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// parseIDs reads FIRST:COUNT.
func parseIDs(value string) (IDRange, error) {
	first, count, _ := strings.Cut(value, ":")
	a, errA := strconv.ParseUint(first, 10, 32)
	n, errN := strconv.ParseUint(count, 10, 32)
	if errA != nil || errN != nil || n == 0 {
		return IDRange{}, badOption("ids=%s: want FIRST:COUNT, as in 100000:65536", short(value))
	}
	return IDRange{uint32(a), uint32(n)}, nil
}

// String returns the range as it is given.
func (r IDRange) String() string {
	if r == (IDRange{}) {
		return ""
	}
	return fmt.Sprintf("%d:%d", r.First, r.Count)
}

// check refuses a range of which an id is none, or root's.
func (r IDRange) check(o *Options) error {
	switch last := uint64(r.First) + uint64(r.Count) - 1; {
	case r == (IDRange{}):
		return nil
	case r.Count == 0:
		return badOption("ids=%v: it has no ids", r)
	case r.First == 0:
		return badOption("ids=%v: 0 is root's, of whom there would be nothing gained; want others, as in 100000:65536", r)
	case last >= noID:
		return badOption("ids=%v: its last id would be %d: at most %d is one", r, last, uint32(noID-1))
	case o.UID != nil && *o.UID >= r.Count:
		return badOption("uid=%d: with ids=%v want a number from 0 to %d", *o.UID, r, r.Count-1)
	case o.GID != nil && *o.GID >= r.Count:
		return badOption("gid=%d: with ids=%v want a number from 0 to %d", *o.GID, r, r.Count-1)
	case o.ownTime():
		return badOption("ids contradicts clock, which can be set as the host's user alone: want either")
	}
	return nil
}

// maps adds the steps that give the user namespace the range: the keeper writes
// it from outside, where it has the rights for it.
func (r IDRange) maps(l *list) {
	text := fmt.Sprintf("0 %d %d", r.First, r.Count)
	l.add(spawn.UIDMap(text).Noted(noteIDs))
	l.add(spawn.GIDMap(text).Noted(noteIDs))
}

const noteIDs = "the range of ids: it takes a root that has them, as the one of a container may not, and a /proc in sight of the host"
