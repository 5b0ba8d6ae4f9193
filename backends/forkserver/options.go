package forkserver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/bytesize"
	"github.com/hatchery-spawn/hatchery/internal/option"
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

	// Keep is for the command hatchery run alone, which has a server keep the
	// template for its next calls, for as long. A host has its templates as long
	// as it is open, and refuses it.
	Keep time.Duration
}

// MaxKeep is the most that Options.Keep can be.
const MaxKeep = 24 * time.Hour

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
	add(o.Keep != 0, "keep", o.Keep.String())
	return list
}

// table says what each option may be by itself.
func table() *option.Table {
	ready := option.Value{Type: option.Integer, Min: option.Limit(0), Max: option.Limit(mostReady)}
	return &option.Table{Options: []option.Option{
		{Name: "kind", About: "what the program supports; the method finds out", Value: option.Value{Words: []string{spawn.PoolTemplate, spawn.ForkTemplate, Cold}}},
		{Name: "preload", Many: true, About: "what an interpreter loads ahead",
			Value: option.Value{Title: "names of modules with a comma between them", Pattern: `^[^,]+(?:,[^,]+)*$`}},
		{Name: "arg", Many: true, About: "an argument of a process that is to be ready"},
		{Name: "env", Many: true, About: "what such a process has in its environment",
			Value: option.Value{Title: "NAME, NAME* or NAME=VALUE", Pattern: `^[^=\x00][^\x00]*$`}},
		{Name: "min", About: "how many stay ready", Default: "0", Value: ready},
		{Name: "max", About: "how many may be ready", Default: strconv.Itoa(defaultMax), Value: ready},
		{Name: "idle", About: "how long those are kept that nobody wants", Default: "1m",
			Value: option.Value{Title: "a time above 0, such as 5m", Format: option.Duration, Min: option.Limit(time.Nanosecond.Seconds())}},
		{Name: "memory", About: "what those that are ready may take together",
			Value: option.Value{Title: "bytes, such as 64m or 1g", Format: option.Bytes, Min: option.Limit(1)}},
		{Name: "require", About: "warm: a child that would have to be started cold is an error", Value: option.Value{Words: []string{"warm"}}},
		{Name: "keep", About: "for hatchery run alone: a server keeps the template for the next calls, for as long",
			Value: option.Value{Title: "a time above 0 and up to 24h, such as 5m", Format: option.Duration, Min: option.Limit(time.Nanosecond.Seconds()), Max: option.Limit(MaxKeep.Seconds())}},
	}}
}

// Parse reads the options of a Spec, and fills in what is not given. An error is of
// kind spawn.ErrBadOption, and names all that is wrong with options by themselves, or
// else all contradictions.
func Parse(list []spawn.Option) (Options, error) {
	var o Options
	if err := table().Check(list); err != nil {
		return o, badOption("%s", spawn.AsError(err).Msg)
	}
	for _, opt := range list {
		if err := o.set(opt.Key, opt.Value); err != nil { // what the table lets through can be set
			return o, badOption("%s=%s: %v", opt.Key, opt.Value, err)
		}
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	if o.Max == 0 {
		o.Max = max(defaultMax, o.Min)
	}
	var wrong []string
	if o.Max < o.Min {
		wrong = append(wrong, fmt.Sprintf("max is %d and min %d: want as many at least", o.Max, o.Min))
	}
	if o.Kind == "" && len(o.Args) > 0 {
		wrong = append(wrong, "arg needs kind as well: pool or fork")
	}
	if o.Kind != "" && len(o.Preload) > 0 {
		wrong = append(wrong, "preload is for programs that are recognised: leave kind out")
	}
	if o.Keep != 0 {
		wrong = append(wrong, "keep is for hatchery run alone: a host has its templates as long as it is open")
	}
	if len(wrong) > 0 {
		return o, badOption("%s", strings.Join(wrong, "; "))
	}
	return o, nil
}

// set sets an option whose value is of the form that the table gives it.
func (o *Options) set(key, value string) (err error) {
	switch key {
	case "kind":
		o.Kind = value
	case "preload":
		o.Preload = append(o.Preload, strings.Split(value, ",")...)
	case "arg":
		o.Args = append(o.Args, value)
	case "env":
		o.Env = append(o.Env, value)
	case "min":
		o.Min, err = strconv.Atoi(value)
	case "max":
		o.Max, err = strconv.Atoi(value)
	case "idle":
		o.Idle, err = time.ParseDuration(value)
	case "memory":
		o.Memory, err = bytesize.Parse(value)
	case "require":
		o.Require = true
	case "keep":
		o.Keep, err = time.ParseDuration(value)
	default:
		err = errors.New("there is no such option")
	}
	return err
}

func badOption(format string, args ...any) error {
	return &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrBadOption, Msg: fmt.Sprintf(format, args...)}
}
