package host

import (
	"context"
	"errors"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// errorList collects errors; nil is no error.
type errorList []error

func (l *errorList) add(err error) {
	if err != nil {
		*l = append(*l, err)
	}
}

func (l *errorList) addAll(errs []error) {
	for _, err := range errs {
		l.add(err)
	}
}

func (l errorList) join() error { return errors.Join(l...) }

// withKey puts the method's key into an error that has none.
func withKey(err error, key registry.SpawnMethodKey) error {
	if err == nil {
		return nil
	}
	e := *spawn.AsError(err)
	if e.Key == "" {
		e.Key = string(key)
	}
	return &e
}

// waitError says which wait ended because its context did.
func waitError(ctx context.Context, phase spawn.Phase, op string) *spawn.Error {
	e := &spawn.Error{Kind: spawn.ErrCanceled, Phase: phase, Op: op, Err: context.Cause(ctx)}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Kind = spawn.ErrTimeout
	}
	return e
}
