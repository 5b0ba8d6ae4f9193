package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// contradictions returns what is wrong with options that are right by themselves.
func (o *Options) contradictions() []string {
	var wrong []string
	add := func(is bool, format string, args ...any) {
		if is {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	p := o.profile()
	add(o.Root != "" && p != ProfileRoot, "root and profile=%s contradict each other: leave the profile out", p)
	add(o.Root == "" && p == ProfileRoot, "profile=root needs the folder: give root=DIR")
	add(o.Overlay && o.Root == "", "overlay needs root=DIR, a tree without mounts below it: the kernel lays nothing over the others")
	off := slices.ContainsFunc(o.Landlock, func(r LandlockRule) bool { return r.Allow == LandlockOff })
	add(off && len(o.Landlock) > 1, "landlock=off contradicts the other rules of landlock: want either")
	for _, m := range o.Mounts {
		add(below(m.Target, "/proc"), "%s=%s: nothing can be put into /proc", m.key(), short(m.Target))
	}
	return append(wrong, o.IDs.contradictions(o)...)
}

// key is the option that makes such a mount.
func (m *Mount) key() string {
	if m.Source == "" {
		return "tmpfs"
	}
	return "bind"
}

// maxHostname is HOST_NAME_MAX.
const maxHostname = 64

// below reports whether p is dir or lies below it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func badOption(format string, args ...any) error {
	return &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrBadOption, Msg: fmt.Sprintf(format, args...)}
}

// short cuts what an error quotes.
func short(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}
