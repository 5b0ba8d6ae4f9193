package plan

import (
	"os"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A root is the part of a plan that makes the child's files.
type root struct {
	*list
	// plain says that a place may be named by its path: it is the host's, or the child's
	// own, and nobody leads elsewhere with it. Then the root of the file system in memory
	// is there.
	plain   bool
	fd      spawn.Arg            // the root, open
	devFD   spawn.Arg            // its /dev, if the caller's mounts are to have places in it
	own     []memFolder          // folders in memory, but for those of /dev
	devices []string             // of the host, that are mounted in /dev
	trees   map[string]spawn.Arg // copies of mounts of folders in memory
	places  *places
}

// open adds the step that opens a place of the new root, on whichever way it is
// reached there, but never by way of a link of /proc.
func (r *root) open(place string) spawn.Arg {
	name := strings.TrimPrefix(place, "/")
	if name == "" {
		return r.fd
	}
	return r.add(spawn.OpenAt(r.fd, spawn.Str(name), oPath, 0, resolveInRoot|resolveNoMagic).Noted("the folder " + place + " of the new root"))
}

// enter adds the steps that make a place the working directory.
func (r *root) enter(place string) {
	if r.plain {
		r.add(spawn.Chdir(spawn.Str(place)))
		return
	}
	r.add(spawn.Fchdir(r.open(place)).Noted("the folder " + place + " of the new root"))
}

// moveTo adds the steps that mount a tree at a place.
func (r *root) moveTo(tree spawn.Arg, place, note string) {
	name, inDev := strings.CutPrefix(place, "/dev/")
	switch {
	case r.plain:
		r.add(spawn.MoveMount(tree, spawn.CWD(), spawn.Str(place), 0).Noted(note))
	case inDev:
		r.add(spawn.MoveMount(tree, r.trees[memDev], spawn.Str(name), 0).Noted(note))
	default:
		r.add(spawn.MoveMount(tree, r.open(place), spawn.Str(""), moveToEmptyPath).Noted(note))
	}
}

// mount adds the steps that mount a file system at a place, which is made.
func (r *root) mount(place, fstype string, flags uint64, data, note string) error {
	if err := r.place(place, true, place); err != nil {
		return err
	}
	r.mountAt(place, fstype, flags, data, note)
	r.places.cover(place, "")
	return nil
}

// mountAt adds the steps that mount a file system at a place that is there.
func (r *root) mountAt(place, fstype string, flags uint64, data, note string) {
	at := place
	if !r.plain {
		r.enter(place)
		at = "."
	}
	r.add(spawn.Mount(spawn.Str(fstype), spawn.Str(at), fstype, flags, data).Noted(note))
}

// private adds the steps that mount the folders that are the child's own.
func (r *root) private() error {
	for _, f := range r.own {
		if err := r.place(f.place, true, f.place); err != nil {
			return err
		}
		r.put(f.name, f.place, "a "+f.place+" of its own")
		r.places.cover(f.place, "")
	}
	return nil
}

// finish makes read-only what was only written to make places.
func (r *root) finish(o *Options) {
	if r.devFD != (spawn.Arg{}) {
		r.add(spawn.MountSetattr(r.devFD, spawn.Str(""), atEmptyPath, attrRdonly, 0, 0).Noted(noteSealed))
	}
	if o.profile() == ProfileEmpty {
		r.add(spawn.MountSetattr(r.fd, spawn.Str(""), atEmptyPath, attrRdonly, 0, 0).Noted("the root is read-only"))
	}
	r.add(spawn.Chdir(spawn.Str("/")))
}

// exists reports whether the host has a file.
func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

// isFolder reports whether the host has a folder.
func isFolder(path string) bool {
	st, err := os.Lstat(path)
	return err == nil && st.IsDir()
}
