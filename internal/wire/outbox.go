package wire

import (
	"os"
	"sync"

	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// An outbox sends frames on behalf of callers that must not wait for the peer
// to read: a caller whose context ends can leave while its frame is stuck
// behind a plugin that is stopped. How much it can hold is bounded by those
// who put frames into it.
type outbox struct {
	wake chan struct{} // capacity 1: something was put or the box was closed

	mu     sync.Mutex
	queue  []outgoing
	closed bool
}

// An outgoing frame owns its files, and closes them once it was sent or
// dropped. The descriptors of the frame are theirs.
type outgoing struct {
	frame lane.Frame
	files []*os.File
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// put queues a frame. When the box is closed the frame is dropped.
func (o *outbox) put(f outgoing) {
	o.mu.Lock()
	closed := o.closed
	if !closed {
		o.queue = append(o.queue, f)
	}
	o.mu.Unlock()
	if closed {
		closeFiles(f.files)
		return
	}
	o.poke()
}

// close makes send return once it has left the frame it is at.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	dropped := o.queue
	o.queue = nil
	o.mu.Unlock()
	for _, f := range dropped {
		closeFiles(f.files)
	}
	o.poke()
}

func (o *outbox) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take returns what is queued, and whether the box is closed.
func (o *outbox) take() (frames []outgoing, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	frames, o.queue = o.queue, nil
	return frames, o.closed
}

// send sends frames over conn until the box is closed or sending fails, which
// it returns. The peer that is gone is for the reader to notice.
func (o *outbox) send(conn *lane.Conn) error {
	for range o.wake {
		frames, closed := o.take()
		for i := range frames {
			err := conn.Send(&frames[i].frame)
			closeFiles(frames[i].files)
			if err != nil {
				for _, rest := range frames[i+1:] {
					closeFiles(rest.files)
				}
				o.close()
				return err
			}
		}
		if closed {
			return nil
		}
	}
	return nil
}
