package forkserver

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Options say where the processes come from that are ready. Their List is what
// Spec.Options takes.
//
//	spec.Options = forkserver.Options{Kind: spawn.PoolTemplate, Min: 4}.List()
type Options struct {
	// Kind says what the program supports: spawn.PoolTemplate, spawn.ForkTemplate
	// or [Cold] for neither. Empty means that the method finds out.
	Kind string

	// Preload are modules that an interpreter loads ahead, for the children of
	// one that the method knows.
	Preload []string

	// Args are the arguments, behind the program's name, with which a process
	// is started that is to be ready. There are none for a program that is
	// recognised.
	Args []string

	// Env are further entries for the environment of such a process: see
	// spawn.Template.
	Env []string

	// Min is how many stay ready, and Max how many may be; 0 means 0 and 4.
	Min, Max int

	// Idle is how long those above Min are kept that nobody wants; 0 means a
	// minute.
	Idle time.Duration

	// Memory bounds what those that are ready take, in bytes; 0 means no bound.
	Memory int64

	// Require makes it an error when a child would have to be started cold.
	Require bool
}

// Cold is the kind of a program that cannot be made ready ahead.
const Cold = "cold"

const (
	defaultMax  = 4
	defaultIdle = time.Minute
	// mostReady bounds Max: each is a process.
	mostReady = 1000
)

// List returns the options as a Spec has them.
func (o Options) List() []spawn.Option {
	var list []spawn.Option
	add := func(ok bool, key, value string) {
		if ok {
			list = append(list, spawn.Option{Key: key, Value: value})
		}
	}
	add(o.Kind != "", "kind", o.Kind)
	add(len(o.Preload) > 0, "preload", strings.Join(o.Preload, ","))
	for _, a := range o.Args {
		add(true, "arg", a)
	}
	for _, e := range o.Env {
		add(true, "env", e)
	}
	add(o.Min != 0, "min", strconv.Itoa(o.Min))
	add(o.Max != 0, "max", strconv.Itoa(o.Max))
	add(o.Idle != 0, "idle", o.Idle.String())
	add(o.Memory != 0, "memory", strconv.FormatInt(o.Memory, 10))
	add(o.Require, "require", "warm")
	return list
}

// Parse reads the options of a Spec, and fills in what is not given. An error is of
// kind spawn.ErrBadOption.
func Parse(list []spawn.Option) (Options, error) {
	var o Options
	for _, opt := range list {
		if err := o.set(opt.Key, opt.Value); err != nil {
			return o, err
		}
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	if o.Max == 0 {
		o.Max = max(defaultMax, o.Min)
	}
	switch {
	case o.Max < o.Min:
		return o, badOption("max is %d and min %d: want as many at least", o.Max, o.Min)
	case o.Kind == "" && len(o.Args) > 0:
		return o, badOption("arg needs kind as well: pool or fork")
	case o.Kind != "" && len(o.Preload) > 0:
		return o, badOption("preload is for programs that are recognised: leave kind out")
	}
	return o, nil
}

func (o *Options) set(key, value string) (err error) {
	switch key {
	case "kind":
		o.Kind = value
		if value != spawn.PoolTemplate && value != spawn.ForkTemplate && value != Cold {
			err = badOption("kind=%q: want pool, fork or cold", value)
		}
	case "preload":
		for name := range strings.SplitSeq(value, ",") {
			if name == "" {
				return badOption("preload=%q: want names with a comma between them", value)
			}
			o.Preload = append(o.Preload, name)
		}
	case "arg":
		o.Args = append(o.Args, value)
	case "env":
		o.Env = append(o.Env, value)
		if value == "" || strings.HasPrefix(value, "=") || strings.Contains(value, "\x00") {
			err = badOption("env=%q: want NAME, NAME* or NAME=VALUE", value)
		}
	case "min":
		o.Min, err = number(key, value)
	case "max":
		o.Max, err = number(key, value)
	case "idle":
		o.Idle, err = time.ParseDuration(value)
		if err != nil || o.Idle <= 0 {
			err = badOption("idle=%q: want a time above 0, such as 5m", value)
		}
	case "memory":
		o.Memory, err = size(value)
	case "require":
		o.Require = true
		if value != "warm" {
			err = badOption("require=%q: want warm", value)
		}
	default:
		err = badOption("there is no option %q: want kind, preload, arg, env, min, max, idle, memory or require", key)
	}
	return err
}

func number(key, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > mostReady {
		return 0, badOption("%s=%q: want a number up to %d", key, value, mostReady)
	}
	return n, nil
}

// size reads a number of bytes, which may have one of the letters K, M and G behind
// it.
func size(value string) (int64, error) {
	digits, shift := value, 0
	for i, letter := range []string{"K", "M", "G"} {
		if rest, ok := strings.CutSuffix(value, letter); ok {
			digits, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > 1<<(62-shift) {
		return 0, badOption("memory=%q: want a number of bytes, such as 64M", value)
	}
	return n << shift, nil
}

func badOption(format string, args ...any) error {
	return &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrBadOption, Msg: fmt.Sprintf(format, args...)}
}
