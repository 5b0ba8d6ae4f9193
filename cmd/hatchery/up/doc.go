// Package up is the command hatchery up: it runs the services of a table
// (package table) until they end or it is asked to stop, restarts those that fail
// as their policy says, and starts what has changed when the table is read again.
//
// Each service is one goroutine, which has a nursery of its own, inside that of the
// whole, for each process in turn; so whatever a process leaves behind is ended
// before its successor begins. One loop, that of supervisor, has the signals and
// decides; services tell it when they have ended for good. What is shown goes
// through one other goroutine, so that a terminal that is stopped holds up those
// who write, and nobody who decides.
//
// # What this package is not
//
// It is no daemon manager: nothing is started at boot, and nothing lives on when
// it ends, however it ends. Whether a command is of use yet it does not know.
package up
