package up

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
)

// reload reads the table again, and changes what has changed. A table that is wrong
// changes nothing.
func (sup *supervisor) reload() {
	if sup.stopping {
		return
	}
	t, err := table.Read(sup.opts.Path, sup.opts.CheckMethod)
	if err == nil {
		sup.show.note("has read %s again", sup.opts.Path)
		err = sup.apply(t)
	}
	if err == nil {
		return
	}
	var bad *table.Error
	if errors.As(err, &bad) {
		for _, line := range bad.Lines() {
			sup.show.note("%s", line)
		}
	} else {
		sup.show.note("%v", err)
	}
	sup.show.note("nothing was changed")
}

// apply makes the services be those of the table: stops those that are not in it any
// more, starts those that are new, and those that have changed again.
func (sup *supervisor) apply(t *table.Table) error {
	wanted, registrar, err := sup.wanted(t)
	if err != nil {
		return err
	}
	sup.mu.Lock()
	old := sup.services
	sup.services = map[string]*service{}
	outdated, fresh := maps.Clone(old), []*service{}
	for _, w := range wanted {
		before := old[w.Name]
		if before != nil && before.Equal(w) && (!registers(w) || slices.Equal(before.registrar, registrar)) {
			sup.services[w.Name] = before
			delete(outdated, w.Name)
			continue
		}
		s := newService(sup, w, before)
		if registers(w) {
			s.registrar = registrar
		}
		sup.services[w.Name] = s
		fresh = append(fresh, s)
	}
	sup.mu.Unlock()
	var names []string
	for _, w := range wanted {
		names = append(names, w.Name)
	}
	sup.show.names(names)
	sup.stop(outdated)
	for _, s := range fresh {
		if err := sup.begin(s); err != nil {
			return err
		}
	}
	return nil
}

// wanted returns the services of a table, with the registrar if there is to be one,
// and the registrar's addresses.
func (sup *supervisor) wanted(t *table.Table) ([]table.Service, []string, error) {
	if !t.NeedsRegistrar() {
		return t.Services, nil, nil
	}
	r, err := registrarService(sup.nursery, t.Registry)
	if err != nil {
		return nil, nil, err
	}
	return append([]table.Service{r}, t.Services...), r.Bind, nil
}

// begin runs a service, beside the loop.
func (sup *supervisor) begin(s *service) error {
	sup.living++
	err := sup.nursery.Go(s.Name, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-s.asked:
				cancel()
			case <-ctx.Done():
			}
		}()
		s.err = s.run(ctx)
		if s.err == nil && ctx.Err() != nil {
			sup.show.stopped(s.Name)
		}
		close(s.done)
		sup.ended <- s
		return nil
	})
	if err != nil {
		sup.living--
	}
	return err
}
