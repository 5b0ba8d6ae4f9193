package up

import (
	"context"
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
)

// registers reports whether a service is an actor that others find by the registrar:
// each but for the registrar itself.
func registers(s table.Service) bool {
	return s.Actor != "" && s.Name != table.RegistrarName
}

// needs returns the names of the services that s comes after.
func needs(s table.Service) []string {
	if !registers(s) {
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
		if !registers(s.Service) {
			return nil
		}
		err := s.awaitRegistration(ctx)
		if err == errGone && sup.lookup(name) != s {
			continue // likewise
		}
		return err
	}
}

// errGone is how a wait for a registration ends when nobody is left who could register.
var errGone = errors.New("that has ended, and is not registered")

// awaitRegistration waits until an actor is registered that has started.
func (s *service) awaitRegistration(ctx context.Context) error {
	ctx, end := s.starting(ctx)
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-s.done:
			cancel(errGone)
		case <-ctx.Done():
		}
	}()
	err := registered(ctx, s.registrar, s.Name)
	switch {
	case err == nil:
		return nil
	case context.Cause(ctx) == errGone:
		return errGone
	}
	return &lateError{s.startTimeout(), fmt.Errorf("that has started, and has not registered: %w", err)}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
