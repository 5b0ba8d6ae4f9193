package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/bench/peer"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// pythonModules are what the Python program imports, or its template loads ahead.
const pythonModules = "asyncio,decimal,email,http.client,json,sqlite3,ssl,unittest,xml.dom"

// sayReady is the first thing that the program does of its own. Behind that it waits for
// the end of its input, as the worker does, and as a child of multiprocessing has
// nothing more to do: who went on, to take the interpreter down, could keep its
// processor from whoever is to note that it has begun, until the next tick.
const sayReady = "os.write(1, b'!'); os.read(0, 1)"

// pythons returns the ways of starting a Python program that imports modules: by
// os/exec, by multiprocessing's own forkserver which has loaded them ahead, and
// by the method forkserver which has.
func (b *bench) pythons(ctx context.Context) (all []*readying, end func()) {
	plain := newReadying(Python, OSExec)
	other := newReadying(Python, "multiprocessing", plain)
	warm := newReadying(Python, forkserver, plain, other)
	all = []*readying{plain, other, warm}
	fail := func(err error) ([]*readying, func()) {
		for _, r := range all {
			r.failed = why(err)
		}
		return all, func() {}
	}
	path, err := findPython(ctx)
	if err != nil {
		return fail(err)
	}
	spec := spawn.Spec{Path: path, Args: []string{path, "-c", "import " + pythonModules + ", os; " + sayReady}, Dir: "/"}
	plain.run = plain.timing(byExec(spec))
	mp, err := startMultiprocessing(path)
	if err != nil {
		return fail(err)
	}
	other.run = func(ctx context.Context) error {
		took, err := once(ctx, mp)
		if err == nil {
			other.took = append(other.took, took)
		}
		return err
	}
	spec.Options = []spawn.Option{{Key: "preload", Value: pythonModules}, {Key: "require", Value: "warm"}}
	warm.run = b.warmed(spec, 1, warm.timing(b.byForkserver(spec)))
	for _, r := range all {
		if err := r.try(ctx); err != nil {
			r.failed = why(err)
		}
	}
	warm.memory, _ = b.waiting(ctx, spec)
	return all, func() { endMultiprocessing(mp) }
}

// findPython returns the interpreter itself: python3 in PATH may be a script that
// looks for one.
func findPython(ctx context.Context) (string, error) {
	path, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("python3 is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-c", "import sys, "+pythonModules+"; print(sys.executable)").Output()
	if err != nil {
		return "", fmt.Errorf("%s does not import %s: %w", path, pythonModules, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// startMultiprocessing starts the one to compare with.
func startMultiprocessing(python string) (*peer.Multiprocessing, error) {
	m := peer.New(python, pythonModules)
	m.Dir, m.SysProcAttr = "/", ownGroup() // what a terminal sends to all of its group is not for it
	return m, m.Start()
}

// once returns how long one child of m took.
func once(ctx context.Context, m *peer.Multiprocessing) (time.Duration, error) {
	stop := context.AfterFunc(ctx, func() { killGroup(m.Process) })
	defer stop()
	return m.Child()
}

// endMultiprocessing ends m.
func endMultiprocessing(m *peer.Multiprocessing) {
	stuck := time.AfterFunc(readyLimit, func() { killGroup(m.Process) })
	defer stuck.Stop()
	m.Close()
}
