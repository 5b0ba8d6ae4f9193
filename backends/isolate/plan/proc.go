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

// hideFolders adds the steps that cover folders that are not for the child.
func (r *root) hideFolders(o *Options) {
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
}

// sealProc adds the steps that make parts of /proc read-only, which is the working
// directory. Each is a mount of its own, and has the attributes that /proc has when it is made.
func (r *root) sealProc() {
	self := spawn.Str(".")
	r.add(spawn.MountSetattr(spawn.CWD(), self, 0, attrRdonly, 0, 0).Noted("/proc is read-only until parts of it are mounted"))
	for _, name := range readOnlyProc() {
		if isFolder("/proc/" + name) {
			r.add(spawn.Mount(spawn.Str(name), spawn.Str(name), "", msBind, "").Noted("/proc/" + name + " is read-only"))
		}
	}
	r.add(spawn.MountSetattr(spawn.CWD(), self, 0, 0, attrRdonly, 0).Noted("/proc is not read-only"))
}

// hideFiles adds the steps that cover files of /proc, which is the working directory: the
// first by a copy of the mount of /dev/null, the others by copies of that.
func (r *root) hideFiles() {
	first := ""
	for _, name := range hiddenProc() {
		switch path := "/proc/" + name; {
		case isFolder(path) || !exists(path) || !exists("/dev/null"):
		case first == "":
			first = name
			if r.plain {
				r.add(spawn.Mount(spawn.Str("/dev/null"), spawn.Str(name), "", msBind, "").Noted(path + " is hidden"))
				continue
			}
			tree := r.add(spawn.OpenTree(r.trees[memDev], spawn.Str("null"), openTreeClone).Noted(path + " is hidden"))
			r.add(spawn.MoveMount(tree, spawn.CWD(), spawn.Str(name), 0).Noted(path + " is hidden"))
		default:
			r.add(spawn.Mount(spawn.Str(first), spawn.Str(name), "", msBind, "").Noted(path + " is hidden"))
		}
	}
}

// hide adds the steps that cover a folder, by the one for pseudoterminals.
func (r *root) hide(path string) {
	note := path + " is hidden"
	if r.plain {
		r.add(spawn.Mount(spawn.Str("/dev/pts"), spawn.Str(path), "", msBind, "").Noted(note))
		return
	}
	r.moveTo(r.add(spawn.OpenTree(r.trees[memDev], spawn.Str("pts"), openTreeClone).Noted(note)), path, note)
}
