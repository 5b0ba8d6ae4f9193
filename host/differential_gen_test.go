//go:build linux && (amd64 || arm64)

package host_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A wish is a generated child, in words that both os/exec and a host
// understand.
type wish struct {
	viaCmd    bool // by exec.Cmd and host.Cmd; else by os.StartProcess and a Spec
	oursFirst bool
	bare      bool // the name of the program has no slash
	joins     bool // an existing process group
	spec      spawn.Spec
}

// A maker makes wishes, and files for them.
type maker struct {
	*rand.Rand
	dir  string // has the program "pause", folders and files
	root bool
	open []*os.File

	modest bool // the host takes nothing that a child would need rights for to have it too
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func pick[T any](m *maker, of ...T) T { return of[m.IntN(len(of))] }

func (m *maker) wish() *wish {
	w := &wish{viaCmd: m.chance(50), oursFirst: m.chance(50)}
	s := &w.spec
	s.Path = filepath.Join(m.dir, "pause")
	if m.chance(20) {
		w.bare, s.Path = true, "pause" // PATH has its folder
	}
	m.strings(s)
	m.directory(s)
	m.files(s)
	m.job(w)
	m.identity(s)
	m.settings(s)
	return w
}

// odd are strings that somebody might take for something else.
func (m *maker) odd() string {
	return pick(m, "", "a b", "\xff\xfe\x80", "new\nline", "=", "--", "ünïcode", "$HOME", `"'\`, "\t\r\x01\x7f", strings.Repeat("x", m.IntN(4000)))
}

func (m *maker) strings(s *spawn.Spec) {
	s.Args = []string{pick(m, s.Path, "other", "", "-sh")}
	n := m.IntN(6)
	if m.chance(5) {
		n = 2000
	}
	for range n {
		s.Args = append(s.Args, m.odd())
	}
	if m.chance(10) {
		s.Args = nil
	}
	if m.chance(40) {
		return
	}
	s.Env = []string{}
	for range m.IntN(8) {
		s.Env = append(s.Env, pick(m, "A=1", "A=2", "PWD=/elsewhere", "EMPTY=", "=odd", "=C:=x", "novalue", "BYTES=\xff\x80", "NL=a\nb", "PATH=/nowhere", "LD_X=1", "", "Z="+m.odd()))
	}
}

func (m *maker) directory(s *spawn.Spec) {
	if m.chance(50) {
		// Relative ones begin at wherever the host is then.
		s.Dir = pick(m, m.dir, m.dir+"/real", m.dir+"/link", m.dir+"/real/..", "/", "..", ".", m.dir+"/missing", m.dir+"/file", m.dir+"/closed")
	}
	if s.Dir != "" && m.chance(20) && s.Path != "pause" {
		s.Path = pick(m, "./pause", "../pause", "./missing", "./file") // relative to Dir
	}
}

// files opens files of many kinds. They are the maker's to close.
func (m *maker) files(s *spawn.Spec) {
	n := pick(m, 0, 3, m.IntN(4), 3+m.IntN(8))
	if m.chance(4) {
		n = 200
	}
	for len(s.Files) < n {
		switch {
		case m.chance(20):
			s.Files = append(s.Files, nil)
		case m.chance(20) && len(s.Files) > 0:
			s.Files = append(s.Files, s.Files[m.IntN(len(s.Files))]) // the same twice
		case n > 50 && len(m.open) > 10:
			s.Files = append(s.Files, m.open[m.IntN(len(m.open))])
		default:
			s.Files = append(s.Files, m.file())
		}
	}
}

func (m *maker) file() *os.File {
	var f *os.File
	var err error
	switch m.IntN(6) {
	case 0:
		f, err = os.OpenFile(filepath.Join(m.dir, "file"), os.O_RDWR|os.O_APPEND, 0)
	case 1:
		f, err = os.Open(filepath.Join(m.dir, "file"))
		if err == nil {
			_, err = f.Seek(int64(m.IntN(5)), 0)
		}
	case 2:
		r, w, perr := os.Pipe() // O_NONBLOCK, as package os has it
		f, err = r, perr
		m.open = append(m.open, w)
	case 3:
		var pair [2]int
		pair, err = syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|pick(m, 0, syscall.SOCK_NONBLOCK), 0)
		f = os.NewFile(uintptr(pair[0]), "socket")
		m.open = append(m.open, os.NewFile(uintptr(pair[1]), "socket"))
	case 4:
		f, err = os.Open(m.dir)
	case 5:
		f, err = os.OpenFile("/dev/zero", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		panic(err)
	}
	m.open = append(m.open, f)
	return f
}

func (m *maker) closeFiles() {
	for _, f := range m.open {
		f.Close()
	}
	m.open = nil
}

func (m *maker) job(w *wish) {
	switch m.IntN(8) {
	case 0:
		w.spec.Session = true
	case 1, 2:
		w.spec.Group = spawn.NewGroup
	case 3:
		w.joins = true
	case 4:
		w.spec.Group = 1<<22 - 1 // nobody's
	}
}

func (m *maker) identity(s *spawn.Spec) {
	if !m.root || m.chance(75) {
		return
	}
	s.Credential = &spawn.Credential{UID: pick(m, uint32(0), 65534, 1234), GID: pick(m, uint32(0), 65534, 4321)}
	switch m.IntN(3) {
	case 0:
		s.Credential.Groups = []uint32{7, 65534, 1 << 20}
	case 1:
		s.Credential.KeepGroups = true
	}
}

func (m *maker) settings(s *spawn.Spec) {
	if m.chance(25) {
		mask := uint32(m.IntN(0o1000))
		s.Umask = &mask
	}
	if m.chance(25) {
		s.Limits = append(s.Limits, spawn.Limit{Resource: syscall.RLIMIT_CORE, Soft: uint64(m.IntN(9)), Hard: 9})
	}
	if m.chance(10) {
		s.Limits = append(s.Limits, spawn.Limit{Resource: syscall.RLIMIT_NOFILE, Soft: uint64(250 + m.IntN(50)), Hard: 300})
	}
	if m.chance(25) {
		s.Ignore = pick(m, []syscall.Signal{syscall.SIGHUP}, []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.Signal(40)})
	}
	s.NoNewPrivs = m.chance(20)
}

// String says what is wished for.
func (w *wish) String() string {
	s := w.spec
	s.Args, s.Env = nil, nil
	text := fmt.Sprintf("%+v\nargs %.300q\nenv %.300q\nvia Cmd %v, ours first %v, joins a group %v", s, w.spec.Args, w.spec.Env, w.viaCmd, w.oursFirst, w.joins)
	if s.Credential != nil {
		text += fmt.Sprintf("\ncredential %+v", *s.Credential)
	}
	for i, f := range s.Files {
		if f != nil {
			text += fmt.Sprintf("\nfile %d: %s", i, f.Name())
		}
	}
	return text
}
