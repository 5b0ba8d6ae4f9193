package backendtest

import (
	"context"
	"errors"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func cancelCases() []Case {
	return []Case{{
		Name: "cancel-before",
		Doc: "A start whose context has ended before it began starts nothing, and fails with an error that is ErrCanceled, or ErrTimeout " +
			"for a deadline, and the context's own.",
		Needs: []Ability{Programs},
		Run:   cancelBefore,
	}, {
		Name: "cancel-during",
		Doc: "A context that ends while a child is being started, at any moment: Start returns within its bound, either with a child, which " +
			"is the caller's, or with an error and then without one. 40 moments, and 1000 in a heavy run.",
		Needs: []Ability{Programs},
		Run:   cancelDuring,
	}}
}

func cancelBefore(t T, e *Env) {
	l := newLeash(t)
	spec := sh("sleep 60")
	spec.Files = place(nil, 1, l.theirs)
	for cause, want := range map[error]error{context.Canceled: spawn.ErrCanceled, context.DeadlineExceeded: spawn.ErrTimeout} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if want == spawn.ErrTimeout {
			ctx, cancel = context.WithDeadline(t.Context(), time.Unix(1, 0))
			defer cancel()
		}
		p, err := e.Start(ctx, spec)
		if err == nil {
			p.Kill()
			t.Errorf("%v: a child was started", cause)
			continue
		}
		if !errors.Is(err, want) && !errors.Is(err, spawn.ErrCanceled) || !errors.Is(err, cause) {
			t.Errorf("%v: want an error that is %v and %v, got: %v", cause, want, cause, err)
		}
	}
	l.gone(t, "a child that nobody wanted")
}

func cancelDuring(t T, e *Env) {
	l := newLeash(t)
	moments := e.count(40, 1000)
	// From at once to 4 ms later, by when a child has been started; first of
	// all while nothing is there yet: no plugin, no plan.
	cold := e.cancelAt(t, l, moments/4)
	e.run(t, "a child that nobody cancels", sh("exit 0"))
	warm := e.cancelAt(t, l, moments)
	t.Logf("%d of %d, and %d of %d later, were started before they could be canceled", cold, moments/4, warm, moments)
	l.gone(t, "children that nobody wanted")
}

// cancelAt cancels the start of a child at as many moments, and returns how
// often it came too late. The children have others below them.
func (e *Env) cancelAt(t T, l *leash, moments int) (started int) {
	t.Helper()
	spec := sh("sleep 60; :")
	spec.Files = place(nil, 1, l.theirs)
	for n := range moments {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*4*time.Millisecond/time.Duration(moments))
		begin := time.Now()
		p, err := e.Start(ctx, spec)
		took := time.Since(begin)
		cancel()
		if took > soon {
			t.Errorf("canceled at moment %d of %d, it returned after %v", n, moments, took)
		}
		if err == nil {
			started++
			p.Kill()
			await(t, p, "a child that was started all the same")
		}
	}
	return started
}
