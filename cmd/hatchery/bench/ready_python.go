package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// pythonModules are what the Python program imports, or its template loads ahead.
const pythonModules = "asyncio,decimal,email,http.client,json,sqlite3,ssl,unittest,xml.dom"

// pythons returns the ways of starting a Python program that imports modules: by
// os/exec, by multiprocessing's own forkserver which has loaded them ahead, and
// by the method forkserver which has.
func (b *bench) pythons(ctx context.Context) (all []*readying, end func()) {
	plain := newReadying(Python, OSExec)
	peer := newReadying(Python, "multiprocessing", plain)
	warm := newReadying(Python, forkserver, plain, peer)
	all = []*readying{plain, peer, warm}
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
	spec := spawn.Spec{Path: path, Args: []string{path, "-c", "import " + pythonModules + ", os; os.write(1, b'!')"}, Dir: "/"}
	plain.run = plain.timing(byExec(spec))
	mp, err := startMultiprocessing(path)
	if err != nil {
		return fail(err)
	}
	peer.run = func(ctx context.Context) error {
		took, err := mp.once(ctx)
		if err == nil {
			peer.took = append(peer.took, took)
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
	warm.memory, _ = b.waiting(ctx, path)
	return all, mp.end
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

// A multiprocessing is a Python program that starts children by the forkserver of
// its standard library when it is told to.
type multiprocessing struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// multiprocessingProgram says for each line how many nanoseconds it took from the
// request until a child's function ran. The modules are loaded by the forkserver,
// which starts with the first child.
const multiprocessingProgram = `
import multiprocessing, sys, time
c = multiprocessing.get_context("forkserver")
c.set_forkserver_preload(sys.argv[1].split(","))
for _ in sys.stdin:
    r, w = c.Pipe(False)
    p = c.Process(target=w.send_bytes, args=(b"!",))
    t = time.perf_counter_ns()
    p.start()
    r.recv_bytes()
    t = time.perf_counter_ns() - t
    p.join()
    r.close()
    w.close()
    print(t, flush=True)
`

func startMultiprocessing(python string) (*multiprocessing, error) {
	m := &multiprocessing{Cmd: exec.Command(python, "-c", multiprocessingProgram, pythonModules)}
	m.Dir, m.SysProcAttr = "/", ownGroup() // what a terminal sends to all of its group is not for it
	in, err := m.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := m.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	m.in, m.out = in, bufio.NewReader(out)
	return m, m.Start()
}

// once returns how long one child took.
func (m *multiprocessing) once(ctx context.Context) (time.Duration, error) {
	stop := context.AfterFunc(ctx, func() { killGroup(m.Process) })
	defer stop()
	if _, err := io.WriteString(m.in, "\n"); err != nil {
		return 0, err
	}
	line, err := m.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("python3's multiprocessing: %w", err)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Duration(ns), err
}

// end ends it, with all that it has started: they have its standard output, and
// this waits until nobody has that any more.
func (m *multiprocessing) end() {
	m.in.Close()
	stuck := time.AfterFunc(readyLimit, func() { killGroup(m.Process) })
	defer stuck.Stop()
	io.Copy(io.Discard, m.out)
	m.Wait()
}
