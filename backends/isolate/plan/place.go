package plan

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// places knows what will be where in the new root, so that a folder to mount on
// is made where it is missing and can be made: nothing is ever made in a file
// system of the host.
type places struct {
	covers []cover
	made   map[string]bool
}

// A cover is a mount of the new root: a file or folder of the host, or a file
// system in memory, or with both one laid over the other.
type cover struct {
	target, source string
	memory         bool
}

func newPlaces(o *Options) (*places, error) {
	p := &places{made: map[string]bool{"/": true}}
	c := cover{target: "/", memory: o.Overlay}
	switch o.profile() {
	case ProfileHost:
		c.source = "/"
	case ProfileEmpty:
		c.memory = true
	case ProfileRoot:
		c.source = o.Root
		if st, err := os.Stat(o.Root); err != nil {
			return nil, notThere("root", o.Root, err)
		} else if !st.IsDir() {
			return nil, notThere("root", o.Root, syscall.ENOTDIR)
		}
	}
	p.covers = append(p.covers, c)
	return p, nil
}

// cover says that something is mounted at target.
func (p *places) cover(target, source string) {
	p.covers = append(p.covers, cover{target, source, source == ""})
	for made := range p.made {
		if below(made, target) {
			delete(p.made, made)
		}
	}
	p.made[target] = true
}

// on returns what covers a place.
func (p *places) on(place string) cover {
	for i := len(p.covers) - 1; i > 0; i-- {
		if below(place, p.covers[i].target) {
			return p.covers[i]
		}
	}
	return p.covers[0]
}

// has reports whether there is something at place, and whether it is a folder.
func (p *places) has(place string) (there, folder bool) {
	if folder, ok := p.made[place]; ok {
		return true, folder
	}
	c := p.on(place)
	if c.source == "" {
		return false, false
	}
	st, err := os.Stat(path.Join(c.source, strings.TrimPrefix(place, strings.TrimSuffix(c.target, "/"))))
	return err == nil, err == nil && st.IsDir()
}

// place adds the steps that make a place to mount a folder or a file on, if it
// is not there.
func (r *root) place(place string, folder bool, what string) error {
	switch there, isFolder := r.places.has(place); {
	case there && isFolder == folder:
		return nil
	case there && folder:
		return badOption("%s: %s is a file there, and no folder", short(what), short(place))
	case there:
		return badOption("%s: %s is a folder there, and no file", short(what), short(place))
	case !r.places.on(place).memory:
		return badOption("%s: there is no %s in the sandbox to mount on, and it is made in no file system of the host: make it there first, or see profile=empty, and root=DIR with overlay",
			short(what), short(place))
	}
	parent := path.Dir(place)
	if err := r.place(parent, true, what); err != nil {
		return err
	}
	r.places.made[place] = folder
	dir, name := r.open(parent), spawn.Str(path.Base(place))
	if folder {
		r.add(spawn.Mkdir(dir, name, 0o755).Noted("a place for " + what))
	} else {
		r.add(spawn.Mknod(dir, name, sIfreg|0o644, 0).Noted("a place for " + what))
	}
	return nil
}

// notThere is the error of an option that names a file which is not to be had.
func notThere(option, path string, err error) error {
	e := &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Op: option, Path: path, Err: err}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		e.Err = pe.Err
	}
	if errno, ok := e.Err.(syscall.Errno); ok {
		e.Errno, e.Err = errno, nil
	}
	return e
}
