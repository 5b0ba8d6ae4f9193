package main

import (
	"context"
	"os"
	"os/signal"
)

// An endedBy is the cause of a context that a signal has ended.
type endedBy struct{ os.Signal }

func (e endedBy) Error() string { return "ended by a signal: " + e.String() }

// untilSignal returns a context that the first of these signals ends, with an
// endedBy as its cause. From then on they do what they do to any program, so
// that a second one ends what does not end soon. Those that are ignored stay so:
// nohup means it. Call stop in the end.
func untilSignal(parent context.Context, signals ...os.Signal) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stops := []func(){func() { cancel(nil) }}
	for _, s := range signals {
		if signal.Ignored(s) {
			continue
		}
		caught, release := signal.NotifyContext(parent, s)
		forget := context.AfterFunc(caught, func() {
			release()
			cancel(endedBy{s})
		})
		stops = append(stops, func() {
			forget()
			release()
		})
	}
	return ctx, func() {
		for _, f := range stops {
			f()
		}
	}
}
