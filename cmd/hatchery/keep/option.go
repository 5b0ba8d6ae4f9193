package keep

import (
	"fmt"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Option is the option by which a call asks for a server.
const Option = "keep"

// Longest is the longest time for which a server can be asked to stay.
const Longest = forkserver.MaxKeep

// Cut takes the option out of a list, and returns the time that it says, or 0 when it
// is not there.
func Cut(options []spawn.Option) (time.Duration, []spawn.Option, error) {
	var keep time.Duration
	var rest []spawn.Option
	for _, o := range options {
		if o.Key != Option {
			rest = append(rest, o)
			continue
		}
		d, err := time.ParseDuration(o.Value)
		switch {
		case err != nil:
			return 0, nil, fmt.Errorf("%s=%q: want a time with its unit, like 30s or 5m", Option, o.Value)
		case d <= 0 || d > Longest:
			return 0, nil, fmt.Errorf("%s=%s: want a time above 0 and up to %v", Option, o.Value, Longest)
		}
		keep = d
	}
	return keep, rest, nil
}

// ready completes the options of a call, so that there is a process ready for the
// next one: a template stays with the server, unless it is said how long it stays
// when nobody wants it. What cannot be had warm is for the caller to start.
func ready(options []spawn.Option) []spawn.Option {
	s := spawn.Spec{Options: options}
	add := func(key, value string) {
		if _, given := s.Option(key); !given {
			options = append(options, spawn.Option{Key: key, Value: value})
		}
	}
	if _, given := s.Option("idle"); !given {
		add("idle", Longest.String())
		add("min", "1")
	}
	add("require", "warm")
	return options
}
