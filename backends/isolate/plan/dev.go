package plan

import "github.com/hatchery-spawn/hatchery/spawn"

// devices are those that every sandbox has. None of them leads to hardware.
func devices() []string { return []string{"null", "zero", "full", "random", "urandom", "tty"} }

// openDevices adds the steps that copy the host's devices: none can be made in
// a user namespace. They are the host's own files: their mounts are read-only, which
// says nothing of what goes through a device, and keeps who owns it from changing its
// mode for everybody.
func (l *list) openDevices() map[string]spawn.Arg {
	trees := map[string]spawn.Arg{}
	for _, name := range devices() {
		if exists("/dev/" + name) {
			trees[name] = l.device("/dev/"+name, false, "the device /dev/"+name)
		}
	}
	return trees
}

// device adds the steps that copy the mount of a device of the host.
func (l *list) device(path string, write bool, note string) spawn.Arg {
	t := l.add(spawn.OpenTree(spawn.CWD(), spawn.Str(path), openTreeClone).Noted(note))
	set := uint64(attrNosuid | attrNoexec)
	if !write {
		set |= attrRdonly
	}
	l.add(spawn.MountSetattr(t, spawn.Str(""), atEmptyPath, set, 0, 0).Noted(note + ": its attributes"))
	return t
}

// dev adds the steps that make /dev: the devices, pseudoterminals of its own,
// and the names that programs expect.
func (r *root) dev(trees map[string]spawn.Arg) error {
	if err := r.mount("/dev", "tmpfs", msNosuid|msNodev|msNoexec, "mode=0755,size=64k,nr_inodes=64", noteDev); err != nil {
		return err
	}
	r.devFD = r.open("/dev")
	for _, name := range devices() {
		tree, ok := trees[name]
		if !ok {
			continue
		}
		r.add(spawn.Mknod(r.devFD, spawn.Str(name), sIfreg|0o666, 0).Noted(noteDev))
		r.add(spawn.MoveMount(tree, r.devFD, spawn.Str(name), 0).Noted("the device /dev/" + name))
		r.places.made["/dev/"+name] = false
	}
	for _, link := range [][2]string{
		{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
	} {
		r.add(spawn.Symlink(link[0], r.devFD, spawn.Str(link[1])).Noted(noteDev))
	}
	if err := r.mount("/dev/pts", "devpts", msNosuid|msNoexec, "newinstance,ptmxmode=0666,mode=0620", "pseudoterminals of its own"); err != nil {
		return err
	}
	return r.mount("/dev/shm", "tmpfs", msNosuid|msNodev|msNoexec, "mode=1777,"+quarter, "a /dev/shm of its own")
}
