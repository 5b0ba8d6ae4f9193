package wire

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/go-plugin"
)

// The versions of the service that this package speaks. The newest grows when a
// call or frame changes its meaning, not when one is added. The oldest is the one
// before it, as soon as there is one: a plugin may be a version behind its host, and
// a host behind its plugin.
const (
	APIVersion = 1
	OldestAPI  = 1
)

// An APIRange is the versions that one side speaks, from Oldest to Newest. The zero
// value is those of this package.
//
// The host lists its own in PLUGIN_PROTOCOL_VERSIONS. The plugin takes the newest of
// them that it speaks, and says so in the handshake line and in Describe, or in its
// hello. With none in common it says its oldest: then the start fails with an error
// of kind spawn.ErrVersion, which names both and the side to upgrade.
type APIRange struct{ Oldest, Newest int }

func (r APIRange) orOurs() APIRange {
	if r == (APIRange{}) {
		return APIRange{OldestAPI, APIVersion}
	}
	return r
}

func (r APIRange) has(version int) bool { return r.Oldest <= version && version <= r.Newest }

// choose returns the newest version that is on the other side's list as well, or
// the oldest if there is none.
func (r APIRange) choose(list string) int {
	chosen := r.Oldest
	for word := range strings.SplitSeq(list, ",") {
		if v, err := strconv.Atoi(word); err == nil && r.has(v) {
			chosen = max(chosen, v)
		}
	}
	return chosen
}

// chosen is choose with what the host of this process says.
func (r APIRange) chosen() int { return r.choose(os.Getenv(versionsVariable)) }

// sets returns p for each version, as go-plugin wants it.
func (r APIRange) sets(p plugin.Plugin) map[int]plugin.PluginSet {
	all := map[int]plugin.PluginSet{}
	for v := r.Oldest; v <= r.Newest; v++ {
		all[v] = plugin.PluginSet{controlName: p}
	}
	return all
}

// String returns "1", or "1 to 2".
func (r APIRange) String() string {
	r = r.orOurs()
	if r.Oldest == r.Newest {
		return strconv.Itoa(r.Newest)
	}
	return fmt.Sprintf("%d to %d", r.Oldest, r.Newest)
}
