package host

import (
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A keptPlan is one that is not reusable, and that serves the same command again: as
// long as its basis holds, or if it has none until the time is over.
type keptPlan struct {
	*cachedPlan
	args  []string  // the Spec's, as far as they count
	until time.Time // zero when there is no such time
}

const (
	// recentTime is how old a plan may be that depends on what was found in files
	// and does not say on which. To ask takes about as long as to hand a child over.
	recentTime = time.Second

	// youngTime is how long ago a file must have changed for another change to be sure
	// to show in its times: some file systems count in steps of 2 s.
	youngTime = 3 * time.Second

	// maxKept bounds what is remembered for commands, of which there may be as many
	// as there are children, and maxAlike those that differ in their arguments alone.
	maxKept  = 64
	maxAlike = 8
)

// keeps reports whether plan, which is not reusable, may serve the same command again.
func keeps(plan *spawn.Plan) bool {
	return len(plan.Files) == 0 && (plan.Basis != nil || isHandoff(plan))
}

// newKeptPlan returns what is to be kept of a plan for spec.
func newKeptPlan(c *cachedPlan, spec *spawn.Spec, now time.Time) keptPlan {
	k := keptPlan{cachedPlan: c, args: slices.Clone(spec.Args)}
	b := c.plan.Basis
	if b == nil || slices.ContainsFunc(b.Files, func(f spawn.FileState) bool { return young(f, now) }) {
		k.until = now.Add(recentTime)
	}
	if n := k.counts(); n >= 0 {
		k.args = k.args[:min(n, len(k.args))]
	}
	return k
}

// young reports whether f has changed a short time ago, or in the future of this clock.
func young(f spawn.FileState, now time.Time) bool {
	last := f.Changed
	if last == 0 {
		last = f.Modified
	}
	return f.Found && last > now.Add(-youngTime).UnixNano()
}

// counts returns how many arguments count, or -1 for all of them.
func (k *keptPlan) counts() int {
	if b := k.plan.Basis; b != nil && b.Args > 0 {
		return int(b.Args)
	}
	return -1
}

// fits reports whether k is for the arguments args.
func (k *keptPlan) fits(args []string) bool {
	if n := k.counts(); n >= 0 {
		args = args[:min(n, len(args))]
	}
	return slices.Equal(args, k.args)
}

// holds reports whether all that k was made from is as it was.
func (k *keptPlan) holds(spec *spawn.Spec, environ func() []string, now time.Time) bool {
	if !k.until.IsZero() && !now.Before(k.until) {
		return false
	}
	b := k.plan.Basis
	switch {
	case b == nil:
		return true
	case !b.EnvHolds(os.LookupEnv):
		return false
	case spec.Env == nil && len(b.Env) > 0: // the child's may be another one
		env := environ()
		if !b.EnvHolds(func(name string) (string, bool) { return lookupIn(env, name) }) {
			return false
		}
	}
	return b.FilesHold()
}

func lookupIn(env []string, name string) (string, bool) {
	for _, kv := range env {
		if n, value, ok := strings.Cut(kv, "="); ok && n == name {
			return value, true
		}
	}
	return "", false
}

// getKept returns a plan that was made for a Spec like this one, if it still holds.
// command is what appendCommand has made of the Spec.
func (p *plans) getKept(command string, spec *spawn.Spec, environ func() []string, now time.Time) *cachedPlan {
	p.mu.Lock()
	alike := p.kept[command] // never changed once it is there
	p.mu.Unlock()
	for i := range alike {
		if k := &alike[i]; k.fits(spec.Args) && k.holds(spec, environ, now) {
			return k.cachedPlan
		}
	}
	return nil
}

// putKept keeps a plan that was made for spec.
func (p *plans) putKept(command string, c *cachedPlan, spec *spawn.Spec, now time.Time) {
	k := newKeptPlan(c, spec, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	total := 0
	for _, alike := range p.kept {
		total += len(alike)
	}
	if p.kept == nil || total >= maxKept {
		p.kept = map[string][]keptPlan{}
	}
	alike := []keptPlan{k}
	for _, old := range p.kept[command] {
		if len(alike) < maxAlike && !(old.counts() == k.counts() && slices.Equal(old.args, k.args)) {
			alike = append(alike, old)
		}
	}
	p.kept[command] = alike
}

// appendCommand appends what a backend sees of a Spec but its shape and its arguments. No
// environment is another one than an empty one.
func appendCommand(b []byte, spec *spawn.Spec) []byte {
	add := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b = binary.AppendUvarint(b, uint64(len(b))) // where the shape ends
	add(spec.Path)
	add(spec.Dir)
	b = binary.AppendUvarint(b, uint64(len(spec.Env)))
	for _, s := range spec.Env {
		add(s)
	}
	if spec.Env == nil {
		b = append(b, 0)
	}
	return b
}
