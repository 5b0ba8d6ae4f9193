package bench

import (
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

// A Config says what to measure. Host, Programs, Callers, Time and Rounds must
// be set.
type Config struct {
	// Host starts the children. It stays the caller's.
	Host *host.Host

	// Methods are the keys to measure.
	Methods []string

	// Programs are what to start; see FindProgram. Who made them closes them.
	Programs []Program

	// Callers are how many goroutines start children at once, each in turn.
	Callers []int

	// Time is how long all of it takes, about, when what works has been tried
	// out. What runs over it by more than a quarter and ten seconds is ended: then the result
	// is not complete.
	Time time.Duration

	// Rounds is how many rounds the time is cut into. When programs are so slow
	// that it is over before, there are less.
	Rounds int

	// Hatchery is the path of the command, for the time that its start takes.
	// Empty leaves that out.
	Hatchery string

	// Descriptors is how many the host has open in the scenario that shows
	// what they cost. 0 leaves that out.
	Descriptors int

	// Progress, when it is not nil, is told how much of the whole has been
	// measured, from 0 to 1, and what comes next.
	Progress func(done float64, next string)
}
