package host

import (
	"context"
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Template is what there is of processes that were made ready for children to
// come: see spawn.Handoff.
type Template struct {
	Kind    string // spawn.PoolTemplate or spawn.ForkTemplate
	Path    string // of the program
	Ready   int    // processes that are, each for one child
	Booting int    // processes that are about to be
	Served  uint64 // children that were handed over
	Memory  int64  // proportional set size in bytes of those that are ready, and of what makes them by fork
}

// warmTime is how long Warm waits at most: a little longer than a keeper does.
const warmTime = 65 * time.Second

// Warm has n processes made ready for children like spec by the method of the given
// key, and returns when they are. As many stay ready as long as the host does not change in a way that only a
// birth passes on. ctx bounds the wait.
//
// Of spec the program, the arguments and the environment count, as far as the
// method looks at them, and what the children's identity is. The error is of kind
// spawn.ErrUnavailable when the method would start such a child cold.
func (h *Host) Warm(ctx context.Context, key string, spec spawn.Spec, n int) error {
	m, _, done, err := h.begin(ctx, key)
	if err != nil {
		return err
	}
	defer done()
	bounded, cancel := context.WithTimeout(ctx, warmTime)
	defer cancel()
	defer m.waiting(waitSpawn, spec.Path, until(bounded)).end()
	return withKey(h.warm(bounded, m, &spec, n), m.entry.Key)
}

func (h *Host) warm(ctx context.Context, m *method, spec *spawn.Spec, n int) error {
	plan, err := m.planFor(ctx, spec, os.Environ)
	switch {
	case err != nil:
		return err
	case plan == nil:
		return cold("its children are not local processes")
	}
	if !plan.plan.Reusable {
		defer plan.plan.CloseFiles()
	}
	if !isHandoff(plan.plan) {
		why := "the plan has no handoff"
		for _, note := range plan.plan.Notes {
			why = note
		}
		return cold(why)
	}
	l, err := newLaunch(plan, spec)
	if err != nil {
		return err
	}
	now := h.gather.now()
	k, err := h.keeping.use(now)
	if err != nil {
		return err
	}
	defer h.keeping.done(k)
	if l.Plan, err = plan.encode(k.base, now); err != nil {
		return err
	}
	return k.Warm(ctx, l, n)
}

func cold(why string) error {
	return &spawn.Error{Kind: spawn.ErrUnavailable, Phase: spawn.PhasePlan, Msg: "nothing can be made ready: " + why}
}

// Templates returns what there is of processes that were made ready. It takes a
// while for each of them: their memory is measured.
func (h *Host) Templates(ctx context.Context) ([]Template, error) {
	leave, err := h.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	bounded, cancel := h.spawnContext(ctx)
	defer cancel()
	k, err := h.keeping.use(h.gather.now())
	if err != nil {
		return nil, err
	}
	defer h.keeping.done(k)
	states, err := k.Templates(bounded)
	if err != nil {
		return nil, err
	}
	var list []Template
	for _, s := range states {
		list = append(list, Template(s))
	}
	return list, nil
}
