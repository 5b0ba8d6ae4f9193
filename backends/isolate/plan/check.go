package plan

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// check refuses options that are malformed or contradict each other.
func (o *Options) check() error {
	switch p := o.profile(); {
	case o.Root != "" && p != ProfileRoot:
		return badOption("root and profile=%s contradict each other: leave the profile out", p)
	case p == ProfileRoot && o.Root == "":
		return badOption("profile=root needs the folder: give root=DIR")
	case p != ProfileHost && p != ProfileEmpty && p != ProfileRoot:
		_, err := oneOf("profile", string(p), ProfileHost, ProfileEmpty, ProfileRoot)
		return err
	case o.Root != "" && !clean(o.Root):
		return badOption("root=%s: want an absolute path without . and ..", short(o.Root))
	case o.Root == "/":
		return badOption("root=/ is the host's: want profile=host")
	case o.Overlay && p != ProfileRoot:
		return badOption("overlay needs root=DIR, a tree without mounts below it: the kernel lays nothing over the others")
	case len(o.Hostname) > maxHostname:
		return badOption("hostname has %d bytes: at most %d are allowed", len(o.Hostname), maxHostname)
	case strings.ContainsAny(o.Hostname, "\x00/ \n"):
		return badOption("hostname=%s: it cannot have such a byte", short(o.Hostname))
	}
	if o.Seccomp != "" {
		if _, err := parseFilter(string(o.Seccomp)); err != nil {
			return err
		}
	}
	if err := o.IDs.check(o); err != nil {
		return err
	}
	for _, m := range o.Mounts {
		if err := m.check(); err != nil {
			return err
		}
	}
	for _, r := range o.Landlock {
		if err := r.check(o.Landlock); err != nil {
			return err
		}
	}
	if err := o.checkLimits(); err != nil {
		return err
	}
	for _, l := range o.BestEffort {
		if _, err := oneOf("best_effort", string(l), layers()...); err != nil {
			return err
		}
	}
	for _, v := range o.KeepEnv {
		if v == "" || strings.ContainsAny(v, "=\x00") {
			return badOption("keep_env=%s: want the name of a variable, or %s", short(v), KeepAllEnv)
		}
	}
	return nil
}

// maxHostname is HOST_NAME_MAX.
const maxHostname = 64

func (m *Mount) check() error {
	what := "bind=" + m.Source + ":" + m.Target
	if m.Source == "" {
		what = "tmpfs=" + m.Target
	}
	switch {
	case m.Source != "" && !clean(m.Source):
		return badOption("%s: the host's side must be an absolute path without . and ..", short(what))
	case !clean(m.Target):
		return badOption("%s: its place in the sandbox must be an absolute path without . and ..", short(what))
	case m.Target == "/":
		return badOption("%s: the root is what the profile makes it; see root=DIR", short(what))
	case below(m.Target, "/proc"):
		return badOption("%s: nothing can be put into /proc", short(what))
	case m.Size != "" && !size(m.Size):
		return badOption("%s: size %q: want bytes, as in 64m or 1g, or a share of the memory, as in 10%%", short(what), short(m.Size))
	}
	return nil
}

// size reports whether s is a size as tmpfs(5) has it.
func size(s string) bool {
	if last := len(s) - 1; strings.IndexByte("kKmMgG%", s[last]) >= 0 {
		s = s[:last]
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return err == nil && n > 0
}

// clean reports whether p is an absolute path in its shortest form.
func clean(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && !strings.Contains(p, "\x00")
}

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
