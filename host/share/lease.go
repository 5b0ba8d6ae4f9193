package share

import "sync/atomic"

// A Lease is one user's share in a resource. Its methods may be called
// concurrently.
type Lease[K comparable, V any] struct {
	gen      *generation[K, V]
	hit      bool
	released atomic.Bool
}

// Value returns the resource, which belongs to all its users: none of them
// closes it. It panics after Release, when the resource may be closed or
// another user's alone; what Value returned before must not be used then
// either.
func (l *Lease[K, V]) Value() V {
	if l.released.Load() {
		panic("share: Value of a released Lease")
	}
	return l.gen.value
}

// Key returns the key that the lease was acquired for.
func (l *Lease[K, V]) Key() K { return l.gen.key }

// Hit reports whether the resource was open already, or was being opened by
// somebody else, when this lease was acquired. It is false for the one user of
// a generation who opened it.
func (l *Lease[K, V]) Hit() bool { return l.hit }

// Release gives the share back. The last user closes the resource thereby and
// gets the error, unless there is an idle time and the pool is not closed. All
// others do not wait and get nil; so does who calls it again.
func (l *Lease[K, V]) Release() error {
	if l.released.Swap(true) {
		return nil
	}
	return l.gen.pool.leave(l.gen)
}
