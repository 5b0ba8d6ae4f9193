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
	if r.plain {
		return r.mount("/proc", "proc", msNosuid|msNodev|msNoexec, "", noteProc)
	}
	if err := r.place("/proc", true, "/proc"); err != nil {
		return err
	}
	r.moveTo(tree, "/proc", noteProc)
	r.places.cover("/proc", "")
	return nil
}

// masks adds the steps that cover what is not for the child. It comes behind /dev: a
// file is covered by /dev/null, a folder by an empty one.
func (r *root) masks(o *Options) {
	for _, name := range hiddenProc() {
		if path := "/proc/" + name; isFolder(path) {
			r.hide(path)
		}
	}
	if o.profile() == ProfileHost { // there is its /sys
		for _, path := range hiddenSys() {
			if isFolder(path) {
				r.hide(path)
			}
		}
	}
	r.enter("/proc")
	for _, name := range readOnlyProc() {
		if isFolder("/proc/" + name) {
			note := "/proc/" + name + " is read-only"
			r.add(spawn.Mount(spawn.Str(name), spawn.Str(name), "", msBind|msRec, "").Noted(note))
			r.add(spawn.MountSetattr(spawn.CWD(), spawn.Str(name), atRecursive, attrRdonly|attrNosuid|attrNodev|attrNoexec, 0, 0).Noted(note))
		}
	}
	r.hideFiles()
}

// hideFiles adds the steps that cover files of /proc, which is the working directory: the
// first by a copy of the mount of /dev/null, the others by copies of that in one step.
func (r *root) hideFiles() {
	first := ""
	for _, name := range hiddenProc() {
		switch path := "/proc/" + name; {
		case isFolder(path) || !exists(path) || !exists("/dev/null"):
		case first == "":
			first = name
			dir, null := spawn.CWD(), "/dev/null"
			if !r.plain {
				dir, null = r.trees[memDev], "null"
			}
			tree := r.add(spawn.OpenTree(dir, spawn.Str(null), openTreeClone).Noted(path + " is hidden"))
			r.add(spawn.MoveMount(tree, spawn.CWD(), spawn.Str(name), 0).Noted(path + " is hidden"))
		default:
			r.add(spawn.Mount(spawn.Str(first), spawn.Str(name), "", msBind, "").Noted(path + " is hidden"))
		}
	}
}

// hide adds the steps that cover a folder.
func (r *root) hide(path string) {
	note := path + " is hidden"
	switch {
	case r.hidden == "":
		r.hidden = path
		r.put(memEmpty, path, note)
		r.attributes(memEmpty, path, 0, attrRdonly|attrNoexec, note)
	case r.plain:
		r.add(spawn.Mount(spawn.Str(r.hidden), spawn.Str(path), "", msBind, "").Noted(note))
	default:
		r.moveTo(r.add(spawn.OpenTree(r.trees[memEmpty], spawn.Str(""), openTreeClone|atEmptyPath).Noted(note)), path, note)
	}
}
