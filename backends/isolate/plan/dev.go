package plan

import (
	"slices"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// devices are those that every sandbox has. None of them leads to hardware.
func devices() []string { return []string{"null", "zero", "full", "random", "urandom", "tty"} }

// A device is a file of the host's /dev that the child has too.
type device struct {
	name string
	tree spawn.Arg
}

// openDevices adds the steps that copy the mounts of the host's devices: none can be
// made in a user namespace.
func (l *list) openDevices() []device {
	var all []device
	for _, name := range devices() {
		if exists("/dev/" + name) {
			tree := l.add(spawn.OpenTree(spawn.CWD(), spawn.Str("/dev/"+name), openTreeClone).Noted("the device /dev/" + name))
			all = append(all, device{name, tree})
		}
	}
	return all
}

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

// devFiles adds the steps that make what lies in /dev: what the devices are mounted on,
// and the names that programs expect.
func (r *root) devFiles() {
	for _, d := range r.devices {
		r.add(spawn.Mknod(spawn.CWD(), spawn.Str(memDev+"/"+d.name), sIfreg|0o666, 0).Noted(noteDev))
	}
	for _, link := range [][2]string{
		{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
	} {
		r.add(spawn.Symlink(link[0], spawn.CWD(), spawn.Str(memDev+"/"+link[1])).Noted(noteDev))
	}
}

// dev adds the steps that make /dev of that. The devices are the host's own files: their
// mounts are read-only, which says nothing of what goes through a device, and keeps who
// owns it from changing its mode for everybody.
func (r *root) dev() error {
	if err := r.place("/dev", true, "/dev"); err != nil {
		return err
	}
	r.put(memDev, "/dev", noteDev)
	r.places.cover("/dev", "")
	for _, d := range r.devices {
		r.moveTo(d.tree, "/dev/"+d.name, "the device /dev/"+d.name)
		r.places.made["/dev/"+d.name] = false
	}
	r.attributes(memDev, "/dev", atRecursive, attrRdonly|attrNosuid|attrNoexec, noteSealed)
	r.mountAt("/dev/pts", "devpts", msNosuid|msNoexec, "newinstance,ptmxmode=0666,mode=0620", "pseudoterminals of its own")
	r.put(memShm, "/dev/shm", "a /dev/shm of its own")
	r.attributes(memShm, "/dev/shm", 0, attrNoexec, "a /dev/shm of its own: its attributes")
	for _, dir := range []string{"/dev/pts", "/dev/shm"} {
		r.places.cover(dir, "")
	}
	return nil
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
