// Package hunt finds what a keeper that was killed has left, by its record, and
// ends it.
//
//	h := hunt.Find(record.Entries, hunt.Options{})
//	defer h.Close()
//	h.End(ctx, grace, limit)
//
// Only what is marked beyond doubt is found: a process that is recorded with its
// pid and the time of its birth; what is below such a process; and what is in
// the session of one, which nobody can enter from outside. Each is held by a
// pidfd that was opened before the last look at who it is: whatever becomes of
// its pid, no other process is signalled.
//
// # Limits
//
// What had no record when the keeper was killed, and lost its parents then, is
// not found, unless it is in the session of what is recorded.
package hunt
