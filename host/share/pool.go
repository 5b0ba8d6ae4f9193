package share

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed is the error of [Pool.Acquire] after [Pool.Close].
var ErrClosed = errors.New("share: pool closed")

// Config says how a [Pool] opens and closes its resources. Its functions are
// called without a lock. Open and Close are called for several keys at a time,
// and for one key never at the same time; they may use the pool, but not for
// that key, which would wait for itself. For the same reason no function closes
// the pool.
type Config[K comparable, V any] struct {
	// Open makes the resource of a key. It must be set.
	//
	// The context is that of the caller of Acquire; it also ends when the
	// pool is closed, and when Open has returned. It bounds the opening. The
	// resource itself must not depend on it: it may outlive its first user.
	//
	// When Open returns an error it has cleaned up; the value is ignored.
	Open func(ctx context.Context, key K) (V, error)

	// Close ends the resource of a key. It is called once for each successful
	// Open. Nothing bounds it from outside. If it is nil there is nothing to
	// end.
	Close func(key K, v V) error

	// Idle is how long a resource stays open after its last user has left.
	// Zero, or less, means that the last user closes it.
	Idle time.Duration

	// CloseError is told the errors of closing resources whose idle time was
	// over, when their key is free again. If it is nil, Pool.Close returns the
	// first of them.
	CloseError func(key K, err error)
}

// A Pool holds the resources that are open, by their keys. Its methods may be
// called concurrently. It must be made by [New] and should be closed.
type Pool[K comparable, V any] struct {
	cfg     Config[K, V]
	closing chan struct{} // closed when Close begins
	drained chan struct{} // closed when it has nothing left to wait for

	mu      sync.Mutex
	current map[K]*generation[K, V]
	pending int // what Close waits for: generations, and calls of CloseError
	closed  bool
	errs    []error // for Close to return
}

// New returns an empty pool. It panics if cfg.Open is nil.
func New[K comparable, V any](cfg Config[K, V]) *Pool[K, V] {
	if cfg.Open == nil {
		panic("share: Config.Open is nil")
	}
	return &Pool[K, V]{
		cfg:     cfg,
		closing: make(chan struct{}),
		drained: make(chan struct{}),
		current: map[K]*generation[K, V]{},
	}
}
