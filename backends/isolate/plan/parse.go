package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/bytesize"
	"github.com/hatchery-spawn/hatchery/internal/option"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Parse reads the options of a Spec. An error is of kind spawn.ErrBadOption, and
// names all that is wrong with options by themselves, or else all contradictions.
func Parse(list []spawn.Option) (Options, error) {
	var o Options
	wrong := table().Mistakes(list)
	if len(wrong) == 0 { // so that each is of the form that the table gives it
		for _, opt := range list {
			if err := o.set(opt.Key, opt.Value); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s=%s: %v", opt.Key, short(opt.Value), err))
			}
		}
	}
	if len(wrong) == 0 {
		wrong = o.contradictions()
	}
	if err := option.Error(wrong); err != nil {
		e := err.(*spawn.Error)
		e.Key, e.Phase = Key, spawn.PhasePlan
		return o, e
	}
	return o, nil
}

// set sets one option. What its form leaves open to be wrong is an error.
func (o *Options) set(key, value string) (err error) {
	switch key {
	case "profile":
		o.Profile = Profile(value)
	case "root":
		o.Root = value
	case "overlay":
		o.Overlay = value == "true"
	case "bind":
		o.Mounts = append(o.Mounts, parseBind(value))
	case "tmpfs":
		o.Mounts = append(o.Mounts, parseTmpfs(value))
	case "net":
		o.HostNetwork = value == "host"
	case "hostname":
		o.Hostname = value
	case "clock":
		err = o.setClock(value)
	case "uid":
		o.UID, err = parseID(value)
	case "gid":
		o.GID, err = parseID(value)
	case "ids":
		o.IDs, err = parseIDs(value)
	case "seccomp":
		o.Seccomp = Filter(value)
	case "landlock":
		var r LandlockRule
		r, err = parseLandlock(value)
		o.Landlock = append(o.Landlock, r)
	case "keep_env":
		o.KeepEnv = append(o.KeepEnv, strings.Split(value, ",")...)
	case "best_effort":
		for name := range strings.SplitSeq(value, ",") {
			if l := Layer(name); !slices.Contains(o.BestEffort, l) {
				o.BestEffort = append(o.BestEffort, l)
			}
		}
	default:
		err = o.setLimit(key, value)
	}
	return err
}

// setLimit sets one of the options that limit something.
func (o *Options) setLimit(key, value string) (err error) {
	switch key {
	case "memory":
		o.Memory, err = bytesize.Parse(value)
	case "cpus":
		o.CPUs, err = strconv.ParseFloat(value, 64)
	case "pids":
		o.Pids, err = strconv.Atoi(value)
	case "io":
		var l IOLimit
		l, err = parseIO(value)
		o.IO = append(o.IO, l)
	case "io_weight":
		o.IOWeight, err = strconv.Atoi(value)
	case "wall":
		o.Wall, err = time.ParseDuration(value)
	case "cpu_time":
		o.CPUTime, err = time.ParseDuration(value)
	default:
		panic("isolate: option " + key + " is in the table and nobody reads it")
	}
	return err
}

func parseID(value string) (*uint32, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	id := uint32(n)
	return &id, err
}

// noID is no id: it means "leave it" to the system calls.
const noID = 1<<32 - 1
