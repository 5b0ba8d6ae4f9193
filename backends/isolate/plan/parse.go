package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/nearest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// keys are the names of the options, in the order of the documentation.
func keys() []string {
	return []string{"profile", "root", "overlay", "bind", "tmpfs", "net", "hostname", "clock", "uid", "gid", "ids", "seccomp", "landlock", "keep_env", "memory", "cpus", "pids", "wall", "cpu_time", "best_effort"}
}

// Parse reads the options of a Spec. An error is of kind spawn.ErrBadOption.
func Parse(list []spawn.Option) (Options, error) {
	var o Options
	seen := map[string]string{}
	for _, opt := range list {
		if old, ok := seen[opt.Key]; ok && old != opt.Value && !repeatable(opt.Key) {
			return o, badOption("%s is given twice, as %q and %q: want one", opt.Key, short(old), short(opt.Value))
		}
		seen[opt.Key] = opt.Value
		if err := o.set(opt.Key, opt.Value); err != nil {
			return o, err
		}
	}
	return o, o.check()
}

func repeatable(key string) bool {
	return key == "bind" || key == "tmpfs" || key == "clock" || key == "landlock" || key == "keep_env" || key == "best_effort"
}

// set sets one option.
func (o *Options) set(key, value string) (err error) {
	switch key {
	case "profile":
		o.Profile, err = oneOf(key, value, ProfileHost, ProfileEmpty, ProfileRoot)
	case "root":
		o.Root, err = value, notEmpty(key, value, "the folder that is to be the root")
	case "overlay":
		o.Overlay, err = parseBool(key, value)
	case "bind":
		err = o.addMount(parseBind(value))
	case "tmpfs":
		err = o.addMount(parseTmpfs(value))
	case "net":
		var net string
		net, err = oneOf(key, value, "none", "host")
		o.HostNetwork = net == "host"
	case "hostname":
		o.Hostname, err = value, notEmpty(key, value, "a name")
	case "clock":
		err = o.setClock(value)
	case "uid":
		o.UID, err = parseID(key, value)
	case "gid":
		o.GID, err = parseID(key, value)
	case "ids":
		o.IDs, err = parseIDs(value)
	case "seccomp":
		o.Seccomp, err = parseFilter(value)
	case "landlock":
		var r LandlockRule
		r, err = parseLandlock(value)
		o.Landlock = append(o.Landlock, r)
	case "keep_env":
		o.KeepEnv = append(o.KeepEnv, strings.Split(value, ",")...)
	case "memory", "cpus", "pids", "wall", "cpu_time":
		err = o.setLimit(key, value)
	case "best_effort":
		err = o.addLayers(key, value)
	default:
		return unknownKey(key)
	}
	return err
}

func unknownKey(key string) error {
	if near, ok := nearest.Of(key, keys()); ok {
		return badOption("%q is no option of isolate: did you mean %q?", short(key), near)
	}
	return badOption("%q is no option of isolate: want one of %s", short(key), strings.Join(keys(), ", "))
}

// oneOf returns value if it is one of those wanted.
func oneOf[S ~string](key, value string, want ...S) (S, error) {
	var words []string
	for _, w := range want {
		if string(w) == value {
			return w, nil
		}
		words = append(words, string(w))
	}
	text := "want " + strings.Join(words, " or ")
	if near, ok := nearest.Of(value, words); ok {
		text = fmt.Sprintf("did you mean %q?", near)
	}
	return "", badOption("%s=%s: %s", key, short(value), text)
}

func notEmpty(key, value, want string) error {
	if value == "" {
		return badOption("%s is empty: want %s", key, want)
	}
	return nil
}

func parseBool(key, value string) (bool, error) {
	b, err := strconv.ParseBool(value)
	if err != nil {
		return false, badOption("%s=%s: want true or false", key, short(value))
	}
	return b, nil
}

func parseID(key, value string) (*uint32, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n == noID {
		return nil, badOption("%s=%s: want a number from 0 to %d", key, short(value), uint32(noID-1))
	}
	id := uint32(n)
	return &id, nil
}

// noID is no id: it means "leave it" to the system calls.
const noID = 1<<32 - 1

// addLayers reads names with commas between them.
func (o *Options) addLayers(key, value string) error {
	for name := range strings.SplitSeq(value, ",") {
		l, err := oneOf(key, name, layers()...)
		if err != nil {
			return err
		}
		if !o.mayLack(l) {
			o.BestEffort = append(o.BestEffort, l)
		}
	}
	return nil
}

func (o *Options) addMount(m Mount, err error) error {
	o.Mounts = append(o.Mounts, m)
	return err
}
