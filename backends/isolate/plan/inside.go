package plan

import (
	"os"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A root is the part of a plan behind pivot_root.
type root struct {
	*list
	fd     spawn.Arg // the root, open
	devFD  spawn.Arg // its /dev
	empty  spawn.Arg // a mount of an empty folder, once there is one
	places *places
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
	r.add(spawn.Fchdir(r.open(place)).Noted("the folder " + place + " of the new root"))
}

// mount adds the steps that mount a file system at a place, which is made.
func (r *root) mount(place, fstype string, flags uint64, data, note string) error {
	if err := r.make(place, true, place); err != nil {
		return err
	}
	r.enter(place)
	r.add(spawn.Mount(spawn.Str(fstype), spawn.Str("."), fstype, flags, data).Noted(note))
	r.places.cover(place, "")
	return nil
}

// private adds the folders that are the child's own.
func (r *root) private() error {
	for _, dir := range []string{"/tmp", "/var/tmp", "/run"} {
		if _, folder := r.places.has(dir); !folder && dir != "/tmp" {
			continue
		}
		if err := r.mount(dir, "tmpfs", msNosuid|msNodev, "mode=1777,"+quarter, "a "+dir+" of its own"); err != nil {
			return err
		}
	}
	return nil
}

// letGo lets go of the host's files, before any place is looked for: they are mounted
// above the new root meanwhile, and whoever made that could lead the way there by "..",
// which RESOLVE_IN_ROOT is no help against.
func (r *root) letGo() {
	r.add(spawn.Umount(spawn.Str("."), mntDetach).Noted("to let go of the host's files"))
}

// finish makes read-only what was only written to make places.
func (r *root) finish(o *Options) {
	readOnly := func(fd spawn.Arg, note string) {
		r.add(spawn.MountSetattr(fd, spawn.Str(""), atEmptyPath, attrRdonly, 0, 0).Noted(note))
	}
	readOnly(r.devFD, "/dev is read-only")
	if o.profile() == ProfileEmpty {
		readOnly(r.fd, "the root is read-only")
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
