package plan

import "github.com/hatchery-spawn/hatchery/spawn"

// One file system in memory is all that a child has of its own: each folder of it is
// a mount somewhere else, with attributes of its own. The kernel takes three times as
// long to make and unmake a file system as it takes for a mount, and a file system for
// each place made up a good part of what a sandbox costs.
//
// Nobody in the sandbox comes to its root, which is let go of. So no file is moved or linked
// from one place to another, and what is read-only by its mount is so by every way there
// is.
const (
	memDev   = "dev"
	memShm   = "dev/shm"
	memPts   = "dev/pts"
	memRoot  = "root"  // what the new root is, or where it is mounted
	memUpper = "upper" // what is written to an overlay
	memWork  = "work"
)

// A folder of the file system in memory.
type memFolder struct {
	name, place string
	mode        uint32
}

// private are the folders that the child has of its own, but for those of /dev.
func (p *places) private() []memFolder {
	var all []memFolder
	for _, f := range []memFolder{{"tmp", "/tmp", 0o1777}, {"var-tmp", "/var/tmp", 0o1777}, {"run", "/run", 0o1777}} {
		if _, folder := p.has(f.place); folder || f.place == "/tmp" {
			all = append(all, f)
		}
	}
	return all
}

// memory adds the steps that make the file system, with its root as the working
// directory, and what is in it from the start.
func (r *root) memory(o *Options) {
	const note = "a file system in memory"
	r.add(spawn.Mount(spawn.Str("tmpfs"), spawn.Str(stage), "tmpfs", msNosuid|msNodev, "mode=0700,"+quarter).Noted(note))
	r.add(spawn.Chdir(spawn.Str(stage)))
	folders := append([]memFolder{{memDev, "", 0o755}, {memPts, "", 0o755}, {memShm, "", 0o1777}}, r.own...)
	if o.profile() != ProfileHost {
		folders = append(folders, memFolder{memRoot, "", 0o755})
	}
	if o.Overlay {
		folders = append(folders, memFolder{memUpper, "", 0o755}, memFolder{memWork, "", 0o755})
	}
	for _, f := range folders {
		r.add(spawn.Mkdir(spawn.CWD(), spawn.Str(f.name), f.mode).Noted(note + ": the folder " + f.name))
	}
	r.devFiles(o)
}

// pieces adds the steps that copy mounts of the folders, for when the root of the file
// system is let go of before they are mounted.
func (r *root) pieces() {
	r.trees = map[string]spawn.Arg{}
	for _, f := range append([]memFolder{{name: memDev}, {name: memShm}}, r.own...) {
		flags := openTreeClone
		if f.name == memDev { // with its devices
			flags |= atRecursive
		}
		r.trees[f.name] = r.add(spawn.OpenTree(spawn.CWD(), spawn.Str(f.name), flags).Noted("the folder " + f.name + " in memory"))
	}
}

// put adds the step that mounts a folder of the file system at a place. If that is named
// by its path, the root of the file system is the working directory.
func (r *root) put(name, place, note string) {
	if r.plain {
		r.add(spawn.Mount(spawn.Str(name), spawn.Str(place), "", msBind, "").Noted(note))
		return
	}
	r.moveTo(r.trees[name], place, note)
}
