//go:build linux && (amd64 || arm64)

package launch

import (
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// FuzzPlan checks and lays out whatever a plugin may send, without executing
// it: nothing may panic, and every system call must belong to a step.
func FuzzPlan(f *testing.F) {
	for _, s := range []*spawn.Spec{{}, {Dir: "/", Session: true}, {Credential: &spawn.Credential{}}} {
		b, err := spawn.Standard(s).AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, 0)
	}
	p := plan(spawn.Open(spawn.Str("/"), 0, 0), spawn.Fchdir(spawn.Result(1)), spawn.Dup(spawn.FD(0), 9))
	b, err := p.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, 1)
	p = plan(spawn.Folder("/x"), spawn.OpenAt(spawn.Result(1), spawn.Str("y"), 0, 0, 0), spawn.Watch(spawn.ExceededPids, spawn.Result(1), "y", "", 1, 0), spawn.Wall(1))
	p.Steps[0] = spawn.CloneInto(0, spawn.Result(1))
	if b, err = p.AppendBinary(nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b, 0)
	f.Fuzz(func(t *testing.T, encoded []byte, files int) {
		var p spawn.Plan
		if p.UnmarshalBinary(encoded) != nil {
			return
		}
		files = min(max(files, 0), 4)
		if Check(&p, files) != nil {
			return
		}
		r := &Request{Plan: &p, FDs: []int{1000, 1001, 1002, 1003}[:files], Path: "/x", Args: []string{"x"}, Null: 1004}
		for n := range maxFolders {
			r.Folders = append(r.Folders, 2000+n)
		}
		for _, s := range p.Steps {
			if s.Op == spawn.OpDup && s.Args[1].Num >= 1000 {
				return // the layout would have to copy descriptors that are not there
			}
		}
		var b builder
		if err := b.lower(r, 1, 0, true); err != nil {
			return
		}
		for _, o := range b.ops {
			if int(o.step) >= len(p.Steps) {
				t.Errorf("system call %d belongs to step %d of %d", o.nr, o.step, len(p.Steps))
			}
			for i := range o.args {
				if o.refs&(1<<i) != 0 && o.args[i] >= uintptr(len(b.ops)) {
					t.Errorf("system call %d refers to result %d", o.nr, o.args[i])
				}
			}
		}
	})
}
