package keeper

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// wild makes plans that no backend would: most of them are structurally valid,
// so that the keeper gets to execute them.
//
// They are executed as root, if the tests are, and may write to whatever they
// name: every file that a plan can reach by a name or a descriptor, the program
// included, is in dir or is a device or a file of /proc for which that is safe.
type wild struct {
	*rand.Rand
	dir   string     // has a fifo, a file and a folder
	files []*os.File // what a plan may attach
}

// newWild makes the files that wild plans play with.
func newWild(t testing.TB) *wild {
	t.Helper()
	w := &wild{dir: t.TempDir()}
	if err := os.Chmod(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(w.dir+"/fifo", 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.dir+"/folder", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.dir+"/file", []byte("#!/bin/true\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	add := func(f *os.File, err error) {
		if err != nil {
			t.Fatal(err)
		}
		w.files = append(w.files, f)
		t.Cleanup(func() { f.Close() })
	}
	add(os.OpenFile(os.DevNull, os.O_RDWR, 0))
	add(os.Open(w.dir))
	add(os.OpenFile(w.dir+"/file", os.O_RDWR, 0))
	r, p, err := os.Pipe() // which nobody reads
	add(r, err)
	add(p, err)
	r, p, err = os.Pipe() // whose reader is gone
	add(p, err)
	r.Close()
	a, b, err := lane.Pair()
	add(os.NewFile(uintptr(a), "a"), err)
	add(os.NewFile(uintptr(b), "b"), err)
	sealed, err := linux.SealedMemfd("sealed", []byte("sealed"))
	add(os.NewFile(uintptr(sealed), "sealed"), err)
	add(os.Open("/proc/self/mem"))
	return w
}

// program returns a program that does nothing. Earlier plans may have written to
// it.
func (w *wild) program(t testing.TB) string {
	t.Helper()
	path := w.dir + "/program"
	os.Remove(path)
	if err := tinyelf.Write(path, tinyelf.Exit(0)); err != nil {
		t.Fatal(err)
	}
	return path
}

func pick[T any](w *wild, of ...T) T { return of[w.IntN(len(of))] }

// launch returns a request with a wild plan.
func (w *wild) launch(t testing.TB, seed uint64) *Launch {
	w.Rand = rand.New(rand.NewPCG(seed, 0))
	l := &Launch{Path: w.program(t), Args: []string{"program"}, Dir: w.dir}
	attached := 1 + w.IntN(len(w.files))
	for _, f := range w.files[:attached] {
		l.FDs = append(l.FDs, int(f.Fd()))
	}
	p := &spawn.Plan{Steps: []spawn.Step{w.clone(attached)}}
	for range w.length() {
		p.Steps = append(p.Steps, w.step(p, attached))
	}
	p.Steps = append(p.Steps, w.exec(p, attached))
	if w.IntN(20) == 0 {
		w.damage(p)
	}
	for i := range w.IntN(4) {
		l.Files = append(l.Files, pick(w, i, i, i, i+3, 48, 60, 255))
		l.FDs = append(l.FDs, int(w.files[0].Fd()))
	}
	l.Plan = encode(t, p)
	return l
}

func (w *wild) length() int {
	if w.IntN(40) == 0 {
		return w.IntN(5000)
	}
	return w.IntN(12)
}

// clone is harmless in half of the cases.
func (w *wild) clone(attached int) spawn.Step {
	var flags uint64
	switch w.IntN(10) {
	case 0:
		flags = pick(w, 1<<w.IntN(64), w.Uint64(), syscall.CLONE_FS, syscall.CLONE_FILES, syscall.CLONE_SIGHAND, syscall.CLONE_THREAD, syscall.CLONE_PARENT)
	case 1, 2, 3:
		for range 3 {
			flags |= pick[uint64](w, 0, syscall.CLONE_NEWNS, syscall.CLONE_NEWUTS, syscall.CLONE_NEWIPC,
				syscall.CLONE_NEWUSER, syscall.CLONE_NEWPID, 0x80 /* CLONE_NEWTIME */, 0x02000000 /* CLONE_NEWCGROUP */)
		}
	}
	if w.IntN(20) == 0 {
		return spawn.CloneInto(flags, spawn.FD(w.IntN(attached)))
	}
	return spawn.Clone(flags)
}

// number is a number that most steps take, or sometimes any.
func (w *wild) number() int64 {
	if w.IntN(10) > 0 {
		return pick[int64](w, 0, 0, 1, 2, 3, 5, 7, 22, 48, 49, 52, 64, 255, 300, 510)
	}
	return w.anything()
}

// anything is any number, most often one that means something.
func (w *wild) anything() int64 {
	return pick(w, 0, 0, 1, 2, 3, 7, 22, 48, 52, 64, 255, 1000, 65534, 65535, 65536, -1, math.MaxInt32, math.MaxUint32,
		math.MaxInt64, math.MinInt64, int64(syscall.Getpgrp()), int64(os.Getpid()), int64(w.IntN(1<<20)), w.Int64())
}

func (w *wild) path() spawn.Arg {
	return pick(w, spawn.HoleDir.Arg(), spawn.Str("/"), spawn.Str("/"), spawn.HolePath.Arg(), spawn.Str(w.dir), spawn.Str(w.dir+"/file"),
		spawn.Str(w.dir+"/fifo"), spawn.Str(w.dir+"/folder"), spawn.Str(w.dir+"/file/below"), spawn.Str("."), spawn.Str(".."),
		spawn.Str(""), spawn.Str("/"), spawn.Str(os.DevNull), spawn.Str("/dev/full"), spawn.Str("/dev/ptmx"),
		spawn.Str("/proc/self/mem"), spawn.Str("/proc/self/oom_score_adj"), spawn.Str("/proc/self/fd/0"),
		spawn.Str(strings.Repeat("x", 5000)), spawn.Str(w.dir+"/\xff\n\x1b"))
}

// descriptor is one that came along, or the result of an earlier open.
func (w *wild) descriptor(p *spawn.Plan, attached int) spawn.Arg {
	for range 4 {
		if i := w.IntN(len(p.Steps)); p.Steps[i].Op == spawn.OpOpen {
			return spawn.Result(i)
		}
	}
	return spawn.FD(w.IntN(attached))
}

func (w *wild) data() spawn.Arg {
	return pick(w, spawn.Str(""), spawn.Str("1"), spawn.Str("-1000"), spawn.Str("\x00\xff"), spawn.Str(strings.Repeat("y", 4096)),
		spawn.Str(strings.Repeat("z", 100_000)))
}

func (w *wild) step(p *spawn.Plan, attached int) spawn.Step {
	num := func() spawn.Arg { return spawn.Int(w.number()) }
	step := func(op spawn.Op, args ...spawn.Arg) spawn.Step { return spawn.Step{Op: op, Args: args} }
	switch w.IntN(20) {
	case 0:
		return spawn.Setsid()
	case 1:
		return step(pick(w, spawn.OpSetpgid, spawn.OpTerminal, spawn.OpUmask, spawn.OpPriority), num())
	case 2:
		return step(pick(w, spawn.OpSetresgid, spawn.OpSetresuid, spawn.OpPdeathsig, spawn.OpIgnore), num())
	case 3, 4:
		return step(spawn.OpLimit, spawn.Int(int64(w.IntN(18))), num(), spawn.Int(pick(w, w.number(), -1, -1)))
	case 5:
		s := spawn.Setgroups()
		for range w.IntN(70) {
			s.Args = append(s.Args, num())
		}
		return s
	case 6:
		return spawn.NoNewPrivs()
	case 7:
		return spawn.Affinity(pick(w, "", "\x01", strings.Repeat("\xff", 8), strings.Repeat("\x00", 128), strings.Repeat("\xff", 9999)))
	case 8:
		return step(pick(w, spawn.OpChdir, spawn.OpChdir, spawn.OpChroot), w.path())
	case 9:
		return step(pick(w, spawn.OpFchdir, spawn.OpClose), w.descriptor(p, attached))
	case 10, 11, 12:
		flags := pick(w, 0, os.O_RDWR, os.O_WRONLY, os.O_RDONLY|syscall.O_DIRECTORY, 0x200000 /* O_PATH */, os.O_CREATE|os.O_RDWR,
			os.O_CREATE|os.O_EXCL, os.O_APPEND|os.O_WRONLY, syscall.O_NONBLOCK, 0x410000|os.O_RDWR /* O_TMPFILE */, -1, int(w.number()))
		return spawn.Open(w.path(), flags, w.Uint32())
	case 13, 14:
		return spawn.Write(w.descriptor(p, attached), w.data())
	case 15:
		return step(spawn.OpDup, w.descriptor(p, attached), num())
	case 16, 17:
		return spawn.Pdeathsig(syscall.Signal(1 + w.IntN(64)))
	case 18:
		return spawn.IgnoreSignal(syscall.Signal(1 + w.IntN(64)))
	}
	return spawn.Files()
}

func (w *wild) exec(p *spawn.Plan, attached int) spawn.Step {
	if w.IntN(8) == 0 {
		return spawn.ExecFD(w.descriptor(p, attached))
	}
	if w.IntN(8) == 0 {
		return spawn.Exec(w.path())
	}
	return spawn.Exec(spawn.HolePath.Arg())
}

// damage breaks the structure of a plan.
func (w *wild) damage(p *spawn.Plan) {
	i := w.IntN(len(p.Steps))
	s := &p.Steps[i]
	switch w.IntN(5) {
	case 0:
		s.Op = pick[spawn.Op](w, "", "rm", "clone", "exec", "mount\x00")
	case 1:
		s.Args = append(s.Args, spawn.Arg{Kind: spawn.ArgKind(w.Uint32()), Num: w.number()})
	case 2:
		s.Args = nil
	case 3:
		p.Steps = append(p.Steps[:i:i], p.Steps[i+1:]...)
	case 4:
		s.Args = append([]spawn.Arg{spawn.HoleEnv.Arg(), spawn.Result(w.IntN(9000)), spawn.FD(-1)}, s.Args...)
	}
}
