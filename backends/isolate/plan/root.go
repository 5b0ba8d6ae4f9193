package plan

import (
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// stage is where the file system in memory is mounted: a folder that every host has, and
// that is not needed any more then. The layers of an overlay may lie below others. The new
// /proc is mounted behind that: below another root, or when the file system in memory has
// been let go of, or it is there as a copy.
const stage = "/proc"

// fileSystem adds the steps that give the child its files, and returns where
// which of them are.
func (l *list) fileSystem(o *Options, u *identity) (*places, error) {
	l.add(spawn.Mount(spawn.Str("none"), spawn.Str("/"), "", msRec|msPrivate, "").Noted("mounts are not told to the host"))
	if o.HostNetwork && o.profile() == ProfileHost {
		o.Mounts = append(nameServers(), o.Mounts...)
	}
	places, err := newPlaces(o)
	if err != nil {
		return nil, err
	}
	r := &root{list: l, places: places, own: places.private(), plain: o.profile() != ProfileRoot}
	sources, err := l.openSources(o)
	if err != nil {
		return nil, err
	}
	if err := r.make(o, u); err != nil {
		return nil, err
	}
	r.plain = false // whoever made what is mounted may lead elsewhere with it
	if err := r.mounts(o, sources); err != nil {
		return nil, err
	}
	r.finish(o)
	return places, nil
}

// make adds the steps that make the root and what is the child's own in it, up to where
// the host's files are let go of. They are had as the host's user; then the child is who
// it is to be.
//
// With the host's files the root is the child's own copy of the host's mounts, which came
// with the clone. The file system in memory is let go of when its folders are mounted.
//
// Another root is mounted in that file system, which is mounted on the stage. If its
// places may be named by their paths, they are mounted on from there: the new root is the
// child's root by chroot meanwhile, so that no link in it leads out of it, and what is
// mounted is below the working directory. In a root of somebody's nothing is looked for
// before the host's files are let go of: pivot_root mounts them above the new root, and
// whoever made that could lead the way there by "..", which RESOLVE_IN_ROOT is no help
// against.
func (r *root) make(o *Options, u *identity) error {
	var tree, proc spawn.Arg
	switch o.profile() {
	case ProfileHost:
		const note = "the files of the root, /: their attributes"
		r.add(spawn.MountSetattr(spawn.CWD(), spawn.Str("/"), atRecursive, attrRdonly|attrNosuid|attrNodev, 0, 0).Noted(note))
	case ProfileRoot:
		if !o.Overlay {
			tree = r.tree(o.Root, false, "the files of the root, "+o.Root)
		}
	}
	if !r.plain {
		proc = r.newProc()
	}
	u.become(r.list)
	r.memory(o)
	if o.profile() == ProfileHost {
		r.fd = r.add(spawn.Open(spawn.Str("/"), oPath, 0).Noted(noteRoot))
		return r.inside(o, proc)
	}
	r.newRoot(o, tree)
	r.fd = r.add(spawn.Open(spawn.Str(memRoot), oPath, 0).Noted(noteRoot))
	if !r.plain {
		r.pieces()
		r.pivot()
		return r.inside(o, proc)
	}
	old := r.add(spawn.Open(spawn.Str("/"), oPath, 0).Noted("the old root"))
	r.add(spawn.Chroot(spawn.Str(memRoot)).Noted("where what is mounted comes"))
	if err := r.inside(o, proc); err != nil {
		return err
	}
	r.add(spawn.Fchdir(old))
	r.add(spawn.Chroot(spawn.Str(".")).Noted("back to the old root, for pivot_root"))
	r.add(spawn.Close(old)) // a link of /proc could lead there by it, until the exec
	r.pivot()
	return nil
}

// inside adds the steps that mount what is the child's own.
func (r *root) inside(o *Options, proc spawn.Arg) error {
	if err := r.dev(); err != nil {
		return err
	}
	if err := r.private(); err != nil {
		return err
	}
	if o.profile() == ProfileHost {
		r.add(spawn.Umount(spawn.Str("."), mntDetach).Noted("to let go of the root of the file system in memory"))
	}
	if err := r.proc(proc); err != nil {
		return err
	}
	r.hideFolders(o)
	r.pts()
	r.enter("/proc")
	r.sealProc()
	r.hideFiles()
	return nil
}

// pivot adds the steps that make the new root the root, and let go of the old one: of the
// host's files, in which the file system in memory is mounted.
func (r *root) pivot() {
	r.add(spawn.Fchdir(r.fd))
	r.add(spawn.PivotRoot(spawn.Str("."), spawn.Str(".")).Noted(notePivot))
	r.add(spawn.Umount(spawn.Str("."), mntDetach).Noted("to let go of the old root"))
}

// newRoot adds the step that mounts the new root on its folder in memory.
func (r *root) newRoot(o *Options, tree spawn.Arg) {
	switch {
	case o.profile() == ProfileEmpty:
		r.add(spawn.Mount(spawn.Str(memRoot), spawn.Str(memRoot), "", msBind, "").Noted(noteRoot))
	case o.Overlay:
		data := "lowerdir=" + escape(o.Root) + ",upperdir=" + memUpper + ",workdir=" + memWork + ",userxattr"
		r.add(spawn.Mount(spawn.Str("overlay"), spawn.Str(memRoot), "overlay", msNosuid|msNodev, data).Noted(noteOverlay))
	default:
		r.add(spawn.MoveMount(tree, spawn.CWD(), spawn.Str(memRoot), 0).Noted(noteRoot))
	}
}

// tree adds the steps that copy a tree of mounts of the host, without devices
// and setuid programs.
func (l *list) tree(from string, write bool, note string) spawn.Arg {
	t := l.add(spawn.OpenTree(spawn.CWD(), spawn.Str(from), openTreeClone|atRecursive).Noted(note))
	set := uint64(attrNosuid | attrNodev)
	if !write {
		set |= attrRdonly
	}
	l.add(spawn.MountSetattr(t, spawn.Str(""), atEmptyPath|atRecursive, set, 0, 0).Noted(note + ": its attributes"))
	return t
}

// quarter is the default size of a file system in memory.
const quarter = "size=25%"

// escape protects a path in the data of an overlay.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(path)
}
