package plan

import (
	"fmt"
	"strconv"

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
	if o.Memory != 0 {
		add("memory", strconv.FormatInt(o.Memory, 10))
	}
	if o.CPUs != 0 {
		add("cpus", strconv.FormatFloat(o.CPUs, 'f', -1, 64))
	}
	if o.Pids != 0 {
		add("pids", strconv.Itoa(o.Pids))
	}
	for _, l := range o.IO {
		add("io", l.String())
	}
	if o.IOWeight != 0 {
		add("io_weight", strconv.Itoa(o.IOWeight))
	}
	if o.Wall != 0 {
		add("wall", o.Wall.String())
	}
	if o.CPUTime != 0 {
		add("cpu_time", o.CPUTime.String())
	}
	for _, l := range o.BestEffort {
		add("best_effort", string(l))
	}
	return all
}
