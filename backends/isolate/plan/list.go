package plan

import (
	"fmt"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// List returns the options of a Spec that [Parse] reads as o.
func (o Options) List() []spawn.Option {
	var all []spawn.Option
	add := func(key, value string) {
		if value != "" {
			all = append(all, spawn.Option{Key: key, Value: value})
		}
	}
	add("profile", string(o.Profile))
	add("root", o.Root)
	if o.Overlay {
		add("overlay", "true")
	}
	for _, m := range o.Mounts {
		add(m.option())
	}
	if o.HostNetwork {
		add("net", "host")
	}
	add("hostname", o.Hostname)
	for _, c := range o.clocks() {
		add("clock", c)
	}
	if o.UID != nil {
		add("uid", fmt.Sprint(*o.UID))
	}
	if o.GID != nil {
		add("gid", fmt.Sprint(*o.GID))
	}
	add("ids", o.IDs.String())
	add("seccomp", string(o.Seccomp))
	for _, r := range o.Landlock {
		add("landlock", r.String())
	}
	for _, name := range o.KeepEnv {
		add("keep_env", name)
	}
	for _, l := range o.BestEffort {
		add("best_effort", string(l))
	}
	return all
}
