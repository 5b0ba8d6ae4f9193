//go:build linux

package host_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

// TestSpawnContextEnds ends a spawn's context in every way, with one who waits
// and with one who only asks, and compares it to one of package context.
func TestSpawnContextEnds(t *testing.T) {
	cause := errors.New("the caller's reason")
	ways := []struct {
		name  string
		end   func(h *host.Host, caller context.CancelCauseFunc, cancel context.CancelFunc)
		limit time.Duration
		err   error
		cause error
	}{
		{"by the caller", func(_ *host.Host, caller context.CancelCauseFunc, _ context.CancelFunc) { caller(cause) }, 0, context.Canceled, cause},
		{"by cancel", func(_ *host.Host, _ context.CancelCauseFunc, cancel context.CancelFunc) { cancel() }, 0, context.Canceled, context.Canceled},
		{"by Close", func(h *host.Host, _ context.CancelCauseFunc, _ context.CancelFunc) { h.Close() }, 0, context.Canceled, context.Canceled},
		{"by its time", func(*host.Host, context.CancelCauseFunc, context.CancelFunc) {}, time.Millisecond, context.DeadlineExceeded, context.DeadlineExceeded},
	}
	for _, w := range ways {
		for _, waited := range []bool{false, true} {
			name := w.name
			if waited {
				name += ", with somebody who waits"
			}
			t.Run(name, func(t *testing.T) {
				h := open(t, host.Config{Timeouts: host.Timeouts{Spawn: w.limit}})
				caller, cancelCaller := context.WithCancelCause(context.WithValue(t.Context(), keyOfBound{}, "v"))
				ctx, cancel := h.SpawnContext(caller)
				defer cancel()
				if v := ctx.Value(keyOfBound{}); v != "v" {
					t.Errorf("value %v", v)
				}
				if waited {
					ctx.Done()
				}
				w.end(h, cancelCaller, cancel)
				if w.limit == 0 && w.name != "by Close" || !waited { // the end of the host comes by way of a goroutine to one who waits
					for w.limit > 0 && ctx.Err() == nil {
						runtime.Gosched()
					}
					if err := ctx.Err(); err != w.err {
						t.Errorf("error %v, want %v", err, w.err)
					}
				}
				<-ctx.Done()
				if err := ctx.Err(); err != w.err {
					t.Errorf("error %v, want %v", err, w.err)
				}
				if err := context.Cause(ctx); err != w.cause {
					t.Errorf("cause %v, want %v", err, w.cause)
				}
				if v := ctx.Value(keyOfBound{}); v != "v" {
					t.Errorf("value %v", v)
				}
			})
		}
	}
}

type keyOfBound struct{}

// TestSpawnContextDerived: contexts that are made of a spawn's end with it and
// cost no goroutine, whoever else asks at the same time.
func TestSpawnContextDerived(t *testing.T) {
	h := open(t, host.Config{})
	for range 50 {
		caller, cancelCaller := context.WithCancel(t.Context())
		ctx, cancel := h.SpawnContext(caller)
		before := runtime.NumGoroutine()
		var all sync.WaitGroup
		derived := make([]context.Context, 4)
		for i := range derived {
			all.Go(func() {
				var end context.CancelFunc
				derived[i], end = context.WithTimeout(ctx, time.Hour)
				t.Cleanup(end)
				ctx.Err()
				ctx.Value(keyOfBound{})
			})
		}
		all.Wait()
		if n := runtime.NumGoroutine(); n > before+1 { // one of another part of the host may come
			t.Fatalf("%d goroutines, %d before", n, before)
		}
		cancelCaller()
		for _, d := range derived {
			<-d.Done()
		}
		cancel()
	}
}
