package up

import (
	"context"
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
)

// needs returns the names of the services that s comes after.
func needs(s table.Service) []string {
	if s.Actor == "" || s.Name == table.RegistrarName {
		return s.After
	}
	return append([]string{table.RegistrarName}, s.After...)
}

// waitFor waits until everything is up that a service comes after: a command when
// it has started, an actor when it is registered. The error is for good.
func (sup *supervisor) waitFor(ctx context.Context, s *service) error {
	for _, name := range needs(s.Service) {
		if err := sup.waitForOne(ctx, name); err != nil && ctx.Err() == nil {
			return fmt.Errorf("it comes after %q: %w", name, err)
		}
	}
	return nil
}

func (sup *supervisor) waitForOne(ctx context.Context, name string) error {
	for {
		s := sup.lookup(name)
		if s == nil { // it is being taken out of the table, and whoever waits with it
			<-ctx.Done()
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.up:
		case <-s.done:
			if closed(s.up) {
				break
			}
			if sup.lookup(name) == s {
				return errors.New("that has ended before it was up")
			}
			continue // there is another of that name
		}
		if s.Actor == "" || name == table.RegistrarName {
			return nil
		}
		bounded, end := s.starting(ctx)
		err := registered(bounded, s.registrar, name)
		end()
		if err != nil {
			return &lateError{s.startTimeout(), fmt.Errorf("that has started, and has not registered: %w", err)}
		}
		return nil
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
