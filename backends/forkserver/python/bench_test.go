//go:build linux

package python_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// library is what the benchmarks import or preload.
const library = "asyncio, decimal, email, http.client, json, sqlite3, ssl, unittest, xml.dom"

// BenchmarkFirstCode is the time from the request to the first line of a
// program that imports the library: plainly, as a child of a template that has
// preloaded it, and as a child of multiprocessing's forkserver that has.
func BenchmarkFirstCode(b *testing.B) {
	path := interpreters(b)[0]
	if exec.Command(path, "-c", "import "+library).Run() != nil {
		b.Skip("this interpreter is without " + library)
	}
	const mark = "import " + library + "\nimport os\nos.write(1, b'x')\n"
	s := &spawn.Spec{Path: path, Args: []string{path, "-c", mark}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/"}
	b.Run("plain", func(b *testing.B) {
		firstCode(b, func(files []*os.File) (int, error) { return plain(s, program{}, files) })
	})
	b.Run("warm", func(b *testing.B) {
		z, err := boot(s, strings.Split(library, ", "))
		if err != nil {
			b.Fatal(err)
		}
		defer z.end()
		firstCode(b, func(files []*os.File) (int, error) {
			return z.run(request{args: s.Args, env: s.Env, dir: s.Dir, files: files})
		})
	})
	b.Run("multiprocessing", func(b *testing.B) {
		cmd := exec.Command(path, "-c", multiprocessing, strconv.Itoa(b.N), library)
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
		ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(ns, "ns/op")
	})
}

// multiprocessing prints the mean time until a child of its forkserver has
// written to a pipe.
const multiprocessing = `
import multiprocessing, sys, time
c = multiprocessing.get_context("forkserver")
c.set_forkserver_preload(sys.argv[2].split(", "))
def once():
    r, w = c.Pipe(False)
    p = c.Process(target=w.send_bytes, args=(b"x",))
    t = time.perf_counter_ns()
    p.start()
    r.recv_bytes()
    t = time.perf_counter_ns() - t
    p.join()
    return t
once()
n = int(sys.argv[1])
print(sum(once() for _ in range(n)) / n)
`

// firstCode measures from start to the first byte, and not what comes after.
func firstCode(b *testing.B, start func([]*os.File) (int, error)) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	var sum time.Duration
	for range b.N {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		pid, err := start([]*os.File{null, w, w})
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
		n, err := r.Read(make([]byte, 1))
		sum += time.Since(began)
		if n != 1 {
			b.Fatal(err)
		}
		r.Close()
		wait(b, pid)
	}
	b.ReportMetric(float64(sum.Nanoseconds())/float64(b.N), "ns/op")
}

func wait(t testing.TB, pid int) {
	p, err := os.FindProcess(pid)
	if err == nil {
		_, err = p.Wait()
	}
	if err != nil {
		t.Error(err)
	}
}
