package plan

import (
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// stage is where the new root is mounted before it is the root: any folder that
// every host has, and that is not needed any more then.
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
	dev := l.openDevices()
	sources, err := l.openSources(o)
	if err != nil {
		return nil, err
	}
	proc := l.newProc()
	l.newRoot(o, u)
	l.add(spawn.Chdir(spawn.Str(stage)))
	l.add(spawn.PivotRoot(spawn.Str("."), spawn.Str(".")).Noted(notePivot))
	r := &root{list: l, fd: l.add(spawn.Open(spawn.Str("."), oPath, 0).Noted(noteRoot)), places: places}
	r.letGo()
	for _, part := range []func() error{
		func() error { return r.proc(proc) },
		func() error { return r.dev(dev) },
		r.private,
		func() error { r.masks(o); return nil },
		func() error { return r.mounts(o, sources) },
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	r.finish(o)
	return places, nil
}

// newRoot adds the steps that mount the new root on the stage. From here on the
// child is who it is to be.
func (l *list) newRoot(o *Options, u *identity) {
	from := "/"
	if o.Root != "" {
		from = o.Root
	}
	var tree spawn.Arg
	if plain := o.profile() != ProfileEmpty && !o.Overlay; plain {
		tree = l.tree(from, false, "the files of the root, "+from)
	}
	u.become(l)
	switch {
	case o.profile() == ProfileEmpty:
		l.tmpfs(stage, "mode=0755,size=1m")
	case o.Overlay:
		l.tmpfs(stage, "mode=0755,"+quarter)
		for _, dir := range []string{"/new", "/upper", "/work"} {
			l.add(spawn.Mkdir(spawn.CWD(), spawn.Str(stage+dir), 0o755).Noted(noteRoot))
		}
		data := "lowerdir=" + escape(from) + ",upperdir=" + stage + "/upper,workdir=" + stage + "/work,userxattr"
		l.add(spawn.Mount(spawn.Str("overlay"), spawn.Str(stage+"/new"), "overlay", msNosuid|msNodev, data).Noted(noteOverlay))
		// The layers stay where they are; what moves onto them is the result.
		merged := l.add(spawn.OpenTree(spawn.CWD(), spawn.Str(stage+"/new"), openTreeClone).Noted(noteOverlay))
		l.add(spawn.MoveMount(merged, spawn.CWD(), spawn.Str(stage), 0).Noted(noteOverlay))
	default:
		l.add(spawn.MoveMount(tree, spawn.CWD(), spawn.Str(stage), 0).Noted(noteRoot))
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

func (l *list) tmpfs(path, data string) {
	l.add(spawn.Mount(spawn.Str("tmpfs"), spawn.Str(path), "tmpfs", msNosuid|msNodev, data).Noted("a file system in memory"))
}

// escape protects a path in the data of an overlay.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(path)
}
