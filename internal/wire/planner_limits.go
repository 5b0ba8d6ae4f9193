package wire

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// maxPlan is the size of the largest plan, in bytes. The keeper has to walk it
// and holds it in its memory, and 4096 steps are its limit.
const maxPlan = 1 << 20

// maxMsg is how much text of an error a plugin can make the host show, in
// bytes.
const maxMsg = 64 << 10

func decodePlan(plan *spawn.Plan, b []byte) error {
	if len(b) > maxPlan {
		return fmt.Errorf("a plan of %d bytes: at most %d", len(b), maxPlan)
	}
	return plan.UnmarshalBinary(b)
}

// asked reports whether id was ever given to a request. The answer to one may
// come late or twice; to any other it is no mistake of timing.
func (p *Planner) asked(id uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return id != 0 && id <= p.last
}

// said makes the error that a plugin answered with one that it can know of. It
// speaks for its own method, and not for the host, the keeper, the caller or
// whether its process is there: who reads such a kind would act on it. What it
// says stays as text.
func said(key string, e *spawn.Error) *spawn.Error {
	out := *e
	out.Key, out.Msg = key, clipTo(maxMsg, e.Msg)
	if slices.Contains(hostKinds(), e.Kind) {
		out.Kind, out.Msg = nil, strings.TrimSuffix(fmt.Sprintf("%v, says the plugin: %s", e.Kind, out.Msg), ": ")
	}
	return &out
}

// hostKinds are the kinds of failure that a plugin cannot know of.
func hostKinds() []error {
	return []error{
		spawn.ErrUnknownMethod, spawn.ErrPluginGone, spawn.ErrKeeperGone, spawn.ErrUntrusted,
		spawn.ErrCanceled, spawn.ErrClosed, spawn.ErrBroken,
	}
}
