package forkserver

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// programs remembers of which programs it was found out whether they park. It is
// safe for concurrent use.
type programs struct {
	mu    sync.Mutex
	known map[string]program // by path
}

// A program is a file that was searched.
type program struct {
	state spawn.FileState // as it was then
	parks bool
}

func newPrograms() *programs { return &programs{known: map[string]program{}} }

const (
	// maxKnown bounds what is remembered.
	maxKnown = 1000
	// maxProgram bounds what is searched, in bytes.
	maxProgram = 512 << 20
)

// mark returns what is found in programs that call actor.Park. It is put together
// here, so that it is not found in this one.
func mark() []byte { return []byte(strings.Join([]string{"hatchery", "zygote", "pool", "1"}, "/")) }

// parks reports whether the program of s calls actor.Park, as far as it is linked
// with it, or why not. What it looks at is noted in basis.
func (p *programs) parks(s *spawn.Spec, basis *spawn.Basis) (ok bool, why string) {
	path := s.Path
	if filepath.Base(path) == path {
		found, err := sdk.LookPath(basis, path)
		if err != nil {
			return false, "the program was not found"
		}
		path = found
	}
	if !filepath.IsAbs(path) {
		if !filepath.IsAbs(s.Dir) {
			return false, "the path of the program is relative, and the child's directory is not named: give one of the two from the root, or say kind=pool or kind=fork"
		}
		path = filepath.Join(s.Dir, path)
	}
	info, err := basis.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxProgram {
		return false, "the program cannot be looked at"
	}
	state := basis.Files[len(basis.Files)-1]
	p.mu.Lock()
	known := p.known[path]
	p.mu.Unlock()
	if known.state != state {
		known = program{state, contains(path, mark())}
		p.mu.Lock()
		if len(p.known) >= maxKnown {
			clear(p.known)
		}
		p.known[path] = known
		p.mu.Unlock()
	}
	if !known.parks {
		return false, fmt.Sprintf("%s is neither a program that calls actor.Park nor run by an interpreter that is known here", filepath.Base(path))
	}
	return true, ""
}

// contains reports whether a file has the bytes of text in it.
func contains(path string, text []byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	b := make([]byte, 1<<20)
	for kept := 0; ; {
		n, err := io.ReadFull(f, b[kept:])
		if bytes.Contains(b[:kept+n], text) {
			return true
		}
		if err != nil {
			return false
		}
		kept = copy(b, b[kept+n-len(text)+1:kept+n])
	}
}
