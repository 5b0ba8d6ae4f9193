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
	if last := a + n - 1; errA != nil || errN != nil || last >= noID {
		return IDRange{}, fmt.Errorf("its last id has to be %d or less", uint32(noID-1))
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

// contradictions returns what is wrong with a range and other options.
func (r IDRange) contradictions(o *Options) []string {
	if r == (IDRange{}) {
		return nil
	}
	var wrong []string
	if r.First == 0 {
		wrong = append(wrong, fmt.Sprintf("ids=%v: 0 is root's, of whom there would be nothing gained; want others, as in 100000:65536", r))
	}
	for _, id := range []struct {
		key string
		n   *uint32
	}{{"uid", o.UID}, {"gid", o.GID}} {
		if id.n != nil && *id.n >= r.Count {
			wrong = append(wrong, fmt.Sprintf("%s=%d: with ids=%v want a number from 0 to %d", id.key, *id.n, r, r.Count-1))
		}
	}
	if o.ownTime() {
		wrong = append(wrong, "ids contradicts clock, which can be set as the host's user alone: want either")
	}
	return wrong
}

// maps adds the steps that give the user namespace the range: the keeper writes
// it from outside, where it has the rights for it.
func (r IDRange) maps(l *list) {
	text := fmt.Sprintf("0 %d %d", r.First, r.Count)
	l.add(spawn.UIDMap(text).Noted(noteIDs))
	l.add(spawn.GIDMap(text).Noted(noteIDs))
}

const noteIDs = "the range of ids: it takes a root that has them, as the one of a container may not, and a /proc in sight of the host"
