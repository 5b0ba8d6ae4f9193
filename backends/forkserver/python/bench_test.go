//go:build linux

package python_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/bench/peer"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// library is what the benchmarks import or preload.
const library = "asyncio,decimal,email,http.client,json,sqlite3,ssl,unittest,xml.dom"

// BenchmarkFirstCode is the time from the request to the first line of a program
// that imports the library, in turns: as a process that was made ahead, as one that
// is made by a fork when it is wanted, as a child of multiprocessing's forkserver
// (all of which have it preloaded), and started plainly.
func BenchmarkFirstCode(b *testing.B) {
	path := interpreters(b)[0]
	if exec.Command(path, "-c", "import "+library).Run() != nil {
		b.Skip("this interpreter is without " + library)
	}
	const mark = "import " + library + "\nimport os\nos.write(1, b'x')\n"
	s := &spawn.Spec{Path: path, Args: []string{path, "-c", mark}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/"}
	z, err := boot(s, strings.Split(library, ","))
	if err != nil {
		b.Fatal(err)
	}
	defer z.end()
	other := newMultiprocessing(b, path)
	times := map[string][]time.Duration{}
	add := func(what string, d time.Duration) { times[what] = append(times[what], d) }
	warm := func(when string) time.Duration {
		var p *parked
		make := func() {
			if p, err = z.fork(when); err != nil {
				b.Fatal(err)
			}
		}
		if when == "ahead" {
			make()
		}
		return firstCode(b, func(files []*os.File) (int, error) {
			if when == "now" {
				make()
			}
			return p.run(request{args: s.Args, env: s.Env, dir: s.Dir, files: files})
		})
	}
	for i := 0; b.Loop(); i++ {
		add("ahead", warm("ahead"))
		add("now", warm("now"))
		add("mp", child(b, other))
		if i%10 == 0 {
			add("plain", firstCode(b, func(files []*os.File) (int, error) { return plain(s, program{}, files) }))
		}
	}
	for what, list := range times {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds()), what+"-us")
	}
}

func newMultiprocessing(b *testing.B, path string) *peer.Multiprocessing {
	m := peer.New(path, library)
	m.Stderr = os.Stderr
	if err := m.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(m.Close)
	child(b, m) // starts the forkserver
	return m
}

func child(b *testing.B, m *peer.Multiprocessing) time.Duration {
	took, err := m.Child()
	if err != nil {
		b.Fatal(err)
	}
	return took
}

// firstCode measures from start to the first byte, and not what comes after.
func firstCode(b *testing.B, start func([]*os.File) (int, error)) time.Duration {
	null, err := os.Open(os.DevNull)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	began := time.Now()
	pid, err := start([]*os.File{null, w, w})
	w.Close()
	if err != nil {
		b.Fatal(err)
	}
	n, err := r.Read(make([]byte, 1))
	took := time.Since(began)
	if n != 1 {
		b.Fatal(err)
	}
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		b.Fatal(err)
	}
	return took
}
