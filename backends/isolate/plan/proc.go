package plan

import "github.com/hatchery-spawn/hatchery/spawn"

// What of /proc and /sys tells or changes too much: of the machine, not of a
// namespace. What root may read or write there it may as the only user of a
// user namespace too.
func readOnlyProc() []string { return []string{"bus", "fs", "irq", "pressure", "sys"} }
func hiddenProc() []string {
	return []string{"acpi", "asound", "interrupts", "kcore", "keys", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats",
		"sched_debug", "scsi", "sysrq-trigger", "timer_list", "timer_stats", "vmallocinfo"}
}
func hiddenSys() []string {
	return []string{"/sys/firmware", "/sys/devices/virtual/powercap", "/sys/fs/bpf", "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing"}
}

// newProc adds the steps that make the child's own /proc, which is mounted later. It
// comes while the host's is in sight: without one that it could see the kernel gives no
// new one to a user namespace.
func (l *list) newProc() spawn.Arg {
	fs := l.add(spawn.Fsopen("proc", 0).Noted(noteProc))
	l.add(spawn.Fsconfig(fs, fsconfigCreate, "", "").Noted(noteProc))
	return l.add(spawn.Fsmount(fs, 0, attrNosuid|attrNodev|attrNoexec).Noted(noteProc))
}

// proc adds the steps that mount it.
func (r *root) proc(tree spawn.Arg) error {
	if err := r.make("/proc", true, "/proc"); err != nil {
		return err
	}
	r.add(spawn.MoveMount(tree, r.open("/proc"), spawn.Str(""), moveToEmptyPath).Noted(noteProc))
	r.places.cover("/proc", "")
	return nil
}

// masks adds the steps that cover what is not for the child. It comes behind
// /dev: a file is covered by /dev/null, a folder by an empty one.
func (r *root) masks(o *Options) {
	proc := r.open("/proc")
	r.add(spawn.Fchdir(proc))
	for _, name := range readOnlyProc() {
		if isFolder("/proc/" + name) {
			note := "/proc/" + name + " is read-only"
			r.add(spawn.Mount(spawn.Str(name), spawn.Str(name), "", msBind|msRec, "").Noted(note))
			r.add(spawn.MountSetattr(proc, spawn.Str(name), atRecursive, attrRdonly|attrNosuid|attrNodev|attrNoexec, 0, 0).Noted(note))
		}
	}
	for _, name := range hiddenProc() {
		switch path := "/proc/" + name; {
		case isFolder(path):
			r.hide(path)
		case exists(path) && exists("/dev/null"):
			null := r.add(spawn.OpenTree(r.devFD, spawn.Str("null"), openTreeClone).Noted(path + " is hidden"))
			r.add(spawn.MoveMount(null, proc, spawn.Str(name), 0).Noted(path + " is hidden"))
		}
	}
	if o.profile() != ProfileHost {
		return // there is no /sys of the host
	}
	for _, path := range hiddenSys() {
		if isFolder(path) {
			r.hide(path)
		}
	}
}

// hide adds the steps that cover a folder. One file system does for all: the
// others are copies of its mount.
func (r *root) hide(path string) {
	note := path + " is hidden"
	tree := r.empty
	if tree == (spawn.Arg{}) {
		fs := r.add(spawn.Fsopen("tmpfs", 0).Noted(note))
		r.add(spawn.Fsconfig(fs, fsconfigString, "mode", "0555").Noted(note))
		r.add(spawn.Fsconfig(fs, fsconfigString, "nr_inodes", "2").Noted(note))
		r.add(spawn.Fsconfig(fs, fsconfigCreate, "", "").Noted(note))
		r.empty = r.add(spawn.Fsmount(fs, 0, attrRdonly|attrNosuid|attrNodev|attrNoexec).Noted(note))
		tree = r.empty
	} else {
		tree = r.add(spawn.OpenTree(r.empty, spawn.Str(""), openTreeClone|atEmptyPath).Noted(note))
	}
	r.add(spawn.MoveMount(tree, r.open(path), spawn.Str(""), moveToEmptyPath).Noted(note))
}
