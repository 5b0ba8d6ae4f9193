package plan

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A source is a file or folder of the host that is to be in the sandbox.
type source struct {
	tree   spawn.Arg
	folder bool
}

// openSources adds the steps that copy what the caller's mounts bring from the
// host.
func (l *list) openSources(o *Options) ([]source, error) {
	sources := make([]source, len(o.Mounts))
	for i, m := range o.Mounts {
		if m.Source == "" {
			continue
		}
		st, err := os.Stat(m.Source)
		if err != nil {
			return nil, notThere("bind", m.Source, err)
		}
		note := "bind of " + m.Source
		if st.Mode()&fs.ModeDevice != 0 { // what is named is meant
			sources[i].tree = l.device(m.Source, m.Write, note)
			continue
		}
		sources[i] = source{l.tree(m.Source, m.Write, note), st.IsDir()}
	}
	return sources, nil
}

// mounts adds the steps of the caller's mounts.
func (r *root) mounts(o *Options, sources []source) error {
	r.openDev(o)
	for i, m := range o.Mounts {
		if m.Source == "" {
			data := "mode=0755," + quarter
			if m.Size != "" {
				data = "mode=0755,size=" + m.Size
			}
			if err := r.mount(m.Target, "tmpfs", msNosuid|msNodev, data, "tmpfs at "+m.Target); err != nil {
				return err
			}
			continue
		}
		note := "bind of " + m.Source + " to " + m.Target
		if err := r.place(m.Target, sources[i].folder, note); err != nil {
			return err
		}
		r.add(spawn.MoveMount(sources[i].tree, r.open(m.Target), spawn.Str(""), moveToEmptyPath).Noted(note))
		r.places.cover(m.Target, m.Source)
		r.places.made[m.Target] = sources[i].folder
	}
	return nil
}

// nameServers returns the mount that a child in the host's network needs when
// the list of its name servers lies in a folder that is private here.
func nameServers() []Mount {
	path, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil || !below(path, "/run") {
		return nil
	}
	return []Mount{{Source: path, Target: path}}
}
