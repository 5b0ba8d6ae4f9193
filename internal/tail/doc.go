// Package tail reads what a process writes to its end and keeps the last part of it:
// the process is never held up, and its last words are there when it is gone.
//
// A Tail has a goroutine of its own, which reads until the pipe's other end is closed by
// everybody who has it, or until Finish. What it keeps is bounded; what it hands on to a
// Writer is not, and waits for that.
package tail
