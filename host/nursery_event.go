package host

import (
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An Event is something that happened: in a nursery [ChildStarted],
// [ChildExited], [ChildRestarting], [ChildStopping], [OrphansEnded] or
// [NurseryCanceled], in a host [PluginChanged], [KeeperKilled] and
// [LogDropped]. There may be more kinds one day.
type Event interface{ event() }

// ChildStarted: the child has become its program. Restarts is how often it had
// been started before.
type ChildStarted struct {
	Nursery, Child string
	Pid            int
	Restarts       int
}

// ChildExited: the child has ended and has been reaped. Asked says that it had
// been asked to.
type ChildExited struct {
	Nursery, Child string
	Pid            int
	Status         spawn.ExitStatus
	Asked, Forced  bool
}

// ChildRestarting: the child failed, with Err, and is started again after
// Delay.
type ChildRestarting struct {
	Nursery, Child string
	Err            error
	Delay          time.Duration
}

// ChildStopping: the child is being asked to end.
type ChildStopping struct {
	Nursery, Child string
	Pid            int
}

// OrphansEnded: processes that the child with this pid had left behind have been
// ended. Left are those that could not be.
type OrphansEnded struct {
	Nursery, Child string
	Pid            int
	Ended, Left    []Orphan
}

// NurseryCanceled: everything in the nursery is being stopped, because of
// Cause, or deliberately when that is nil.
type NurseryCanceled struct {
	Nursery string
	Cause   error
}

// PluginChanged: the plugin of a method has entered another state.
type PluginChanged struct{ Health }

// KeeperKilled: the keeper with this pid was killed, or crashed, and everything
// that it had started with it. Ended are the processes that these had left behind,
// as far as the keeper had recorded them, or they were in a session or group that one
// of its children led: the host has ended them. Left are those that it could not.
type KeeperKilled struct {
	Pid         int
	Ended, Left []Orphan
}

// LogDropped: of what the plugin of a method logs Records have not been given to
// Config.Logger, since there were too many: see LogLimit. Pid is its process.
type LogDropped struct {
	Key     registry.SpawnMethodKey
	Pid     int
	Records uint64
}

func (LogDropped) event()      {}
func (PluginChanged) event()   {}
func (KeeperKilled) event()    {}
func (ChildStarted) event()    {}
func (ChildExited) event()     {}
func (ChildRestarting) event() {}
func (ChildStopping) event()   {}
func (OrphansEnded) event()    {}
func (NurseryCanceled) event() {}

// An eventQueue calls a function with one event after the other, in a
// goroutine that lives as long as there are any.
type eventQueue struct {
	f func(Event)

	mu      sync.Mutex
	waiting []Event
	idle    chan struct{} // closed when everything has been told; nil while nothing is
}

func newEventQueue(f func(Event)) *eventQueue { return &eventQueue{f: f} }

func (q *eventQueue) add(e Event) {
	if q.f == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, e)
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.run(q.idle)
	}
}

func (q *eventQueue) run(idle chan struct{}) {
	for {
		q.mu.Lock()
		events := q.waiting
		q.waiting = nil
		if len(events) == 0 {
			q.idle = nil
			close(idle)
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		for _, e := range events {
			q.f(e)
		}
	}
}

// flush waits until everything has been told, but not longer than limit.
func (q *eventQueue) flush(limit time.Duration) {
	q.mu.Lock()
	idle := q.idle
	q.mu.Unlock()
	if idle == nil {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}
