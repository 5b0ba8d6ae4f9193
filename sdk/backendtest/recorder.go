package backendtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// A recorder is a T that keeps what it is told.
type recorder struct {
	ctx func() context.Context // its context ends before the cleanups begin

	mu       sync.Mutex
	outcome  Outcome
	failures []string
	notes    []string
	cleanups []func()
}

func newRecorder(ctx context.Context) *recorder {
	return &recorder{ctx: func() context.Context { return ctx }, outcome: Passed}
}

// record runs f in a goroutine of its own, which Fatalf and Skipf can end, then
// the cleanups, and returns how it went.
func (r *recorder) record(name, way string, f func()) Result {
	begin := time.Now()
	ctx, cancel := context.WithCancel(r.ctx())
	defer cancel()
	r.ctx = func() context.Context { return ctx }
	r.guarded(f)
	cancel()
	for next := r.pop(); next != nil; next = r.pop() {
		r.guarded(next)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return Result{
		Case: name, Way: way, Outcome: r.outcome, Text: slices.Concat(r.failures, r.notes),
		Seconds: time.Since(begin).Seconds(),
	}
}

// guarded runs f and waits for it, however it ends.
func (r *recorder) guarded(f func()) {
	over := make(chan struct{})
	go func() { // waited for below
		defer close(over)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		f()
	}()
	<-over
}

func (r *recorder) pop() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.cleanups) == 0 {
		return nil
	}
	last := len(r.cleanups) - 1
	f := r.cleanups[last]
	r.cleanups = r.cleanups[:last]
	return f
}

func (r *recorder) Helper() {}

func (r *recorder) Context() context.Context { return r.ctx() }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome = Failed
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *recorder) Skipf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	if r.outcome == Passed {
		r.outcome = Skipped
	}
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) TempDir() string {
	dir, err := os.MkdirTemp("", "backendtest-*")
	if err != nil {
		r.Fatalf("a folder for temporary files: %v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // as that of package testing
		r.Errorf("a folder for temporary files: %v", err)
	}
	r.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			r.Errorf("removing the temporary files: %v", err)
		}
	})
	return dir
}
