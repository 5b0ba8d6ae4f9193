package wire

import (
	"fmt"

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
