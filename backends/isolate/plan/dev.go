package plan

import (
	"slices"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// devices are those that every sandbox has. None of them leads to hardware.
func devices() []string { return []string{"null", "zero", "full", "random", "urandom", "tty"} }

// device adds the steps that copy the mount of a device of the host that the caller
// wants.
func (l *list) device(path string, write bool, note string) spawn.Arg {
	t := l.add(spawn.OpenTree(spawn.CWD(), spawn.Str(path), openTreeClone).Noted(note))
	set := uint64(attrNosuid | attrNoexec)
	if !write {
		set |= attrRdonly
	}
	l.add(spawn.MountSetattr(t, spawn.Str(""), atEmptyPath, set, 0, 0).Noted(note + ": its attributes"))
	return t
}

// devFiles adds the steps that make what lies in /dev: the names that programs expect, and
// the devices, which are the host's own files, since none can be made in a user namespace.
// Their mounts are read-only, which says nothing of what goes through a device, and keeps
// who owns it from changing its mode for everybody.
func (r *root) devFiles(o *Options) {
	r.add(spawn.Mount(spawn.Str(memDev), spawn.Str(memDev), "", msBind, "").Noted(noteDev))
	for _, name := range devices() {
		if !exists("/dev/" + name) {
			continue
		}
		r.devices = append(r.devices, name)
		file, note := spawn.Str(memDev+"/"+name), "the device /dev/"+name
		r.add(spawn.Mknod(spawn.CWD(), file, sIfreg|0o666, 0).Noted(note))
		r.add(spawn.Mount(spawn.Str("/dev/"+name), file, "", msBind, "").Noted(note))
	}
	for _, link := range [][2]string{
		{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
	} {
		r.add(spawn.Symlink(link[0], spawn.CWD(), spawn.Str(memDev+"/"+link[1])).Noted(noteDev))
	}
	var clear uint64
	if o.profile() == ProfileHost { // what is in the host's files has the attributes of the root
		clear = attrNodev
	}
	r.add(spawn.MountSetattr(spawn.CWD(), spawn.Str(memDev), atRecursive, attrRdonly|attrNosuid|attrNoexec, clear, 0).Noted(noteSealed))
	if clear != 0 {
		r.add(spawn.MountSetattr(spawn.CWD(), spawn.Str(memDev), 0, attrNodev, 0, 0).Noted("/dev has no devices but those that are mounted there"))
	}
}

// dev adds the steps that make /dev of that, but for pseudoterminals.
func (r *root) dev() error {
	if err := r.place("/dev", true, "/dev"); err != nil {
		return err
	}
	const shm, noteShm = "/dev/shm", "a /dev/shm of its own"
	if r.plain {
		r.add(spawn.Mount(spawn.Str(memDev), spawn.Str("/dev"), "", msMove, "").Noted(noteDev))
	} else {
		r.moveTo(r.trees[memDev], "/dev", noteDev)
	}
	r.put(memShm, shm, noteShm)
	if r.plain {
		r.add(spawn.MountSetattr(spawn.CWD(), spawn.Str(shm), 0, attrNoexec, 0, 0).Noted(noteShm + ": its attributes"))
	} else { // the copy is one of a folder of /dev
		r.add(spawn.MountSetattr(r.trees[memShm], spawn.Str(""), atEmptyPath, attrNoexec, attrRdonly, 0).Noted(noteShm + ": its attributes"))
	}
	r.places.cover("/dev", "")
	for _, name := range r.devices {
		r.places.made["/dev/"+name] = false
	}
	return nil
}

// pts adds the step that mounts pseudoterminals. Until then the folder for them is an empty
// one, which is read-only: what hides others.
func (r *root) pts() {
	r.mountAt("/dev/pts", "devpts", msNosuid|msNoexec, "newinstance,ptmxmode=0666,mode=0620", "pseudoterminals of its own")
	for _, dir := range []string{"/dev/pts", "/dev/shm"} {
		r.places.cover(dir, "")
	}
}

const noteSealed = "/dev is read-only"

// openDev adds the steps that let places be made in /dev, if the caller's mounts may need
// some.
func (r *root) openDev(o *Options) {
	if slices.ContainsFunc(o.Mounts, func(m Mount) bool { return below(m.Target, "/dev") }) {
		r.devFD = r.open("/dev")
		r.add(spawn.MountSetattr(r.devFD, spawn.Str(""), atEmptyPath, 0, attrRdonly, 0).Noted("/dev is not read-only until the mounts in it are made"))
	}
}
