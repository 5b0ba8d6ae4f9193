// Package share keeps resources that are dear to make: one for each key, opened
// for the first user, shared with those who come while it is there, and closed
// after the last.
//
// The smallest example:
//
//	pool := share.New(share.Config[string, *os.File]{
//		Open:  func(_ context.Context, name string) (*os.File, error) { return os.Open(name) },
//		Close: func(_ string, f *os.File) error { return f.Close() },
//	})
//	…
//	l, err := pool.Acquire(ctx, "/etc/services")
//	…
//	defer l.Release()
//	io.Copy(os.Stdout, io.NewSectionReader(l.Value(), 0, 80))
//
// What lies between an opening and the end of the closing that belongs to it is
// a generation. Everything below follows from one rule: a key has at most one
// generation at a time.
//
// # Opening
//
// Who finds a key closed opens it, in their own goroutine and with their own
// context; everyone else who wants that key waits, as long as their own context
// allows, and other keys are not disturbed. An opening that fails, or that its
// caller gives up, is that caller's failure alone: the next in the queue opens
// anew. Ten callers of something that cannot be opened therefore try it ten
// times, one after the other.
//
// # Closing
//
// All users but the last leave at once. The last one closes the resource, in
// their own goroutine, and gets the error. Whoever wants the key meanwhile
// waits for the end of that and opens the next generation. A closing that
// fails is over all the same: it is not tried again.
//
// With [Config.Idle] a resource stays open for some time after its last user
// has left, and who comes within that time finds it. Then nobody is there to be
// told that the closing failed, but [Config.CloseError] and [Pool.Close].
//
// # Panics
//
// A panic in Open or Close is not caught, and neither is a runtime.Goexit. It
// goes its way through the caller, and the key is free for the next one. Where
// there is no caller, because what is closed was idle, a panic ends the program
// like that of any goroutine.
//
// # What this package is not
//
// It is no cache: nothing is kept for its value, and a resource in use is never
// taken away. It is no pool in the sense of database/sql, where each user has a
// connection to themselves; what is shared here must bear several users at a
// time. And it does not look after the resources: one that breaks while it is
// shared stays what it is until its last user has left. To repair it is the
// affair of V.
//
// # Cost
//
// A resource in use costs no goroutine, an idle one a timer. To join others at
// a resource costs one allocation of a few bytes, the [Lease].
package share
