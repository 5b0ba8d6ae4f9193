package plan

import (
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/seccomp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Filter is what happens when a child makes a system call that the default
// profile does not allow (see docs/isolate.md for which those are), or a
// profile of the caller's own: see [FilterFile] and [FilterProgram].
type Filter string

// The filters that need no file.
const (
	FilterRefuse Filter = "default" // the call fails with EPERM
	FilterKill   Filter = "kill"    // the process ends by SIGSYS
	FilterOff    Filter = "off"     // there is no filter
)

// FilterFile returns the filter that is described by a file, as container
// engines have it: JSON of the OCI runtime specification. path is absolute, and
// the host's.
func FilterFile(path string) Filter { return Filter(path) }

// FilterProgram returns the filter that a file is: struct sock_filter, one behind
// the other, in the machine's byte order, as bubblewrap takes it. Nobody but the
// kernel checks what it does.
func FilterProgram(path string) Filter { return Filter(programPrefix + path) }

const programPrefix = "bpf:"

// file returns the file of a filter, if it has one.
func (f Filter) file() (path string, program, ok bool) {
	path, program = strings.CutPrefix(string(f), programPrefix)
	return path, program, program || strings.HasPrefix(path, "/")
}

// A Program is a filter as the kernel takes it.
type Program struct {
	Code  string
	Flags uint32   // SECCOMP_FILTER_FLAG_*
	Notes []string // what else is to be said of it
}

// A Reader makes a program of the file of a FilterFile. Its text is JSON, of
// which this package knows nothing: see package backends/isolate.
type Reader func(path string, text []byte) (Program, error)

// filters returns the programs of the filters of system calls, in the order in which
// they are to be loaded; none when there is to be none. What follows from the sandbox
// is part of the default profile, and goes before a filter of the caller's.
func (o *Options) filters(s *spawn.Spec, read Reader) ([]Program, error) {
	refuse := seccomp.Errno(1) // EPERM of Linux
	path, program, file := o.Seccomp.file()
	switch {
	case o.Seccomp == FilterOff:
		return nil, nil
	case !file:
		if o.Seccomp == FilterKill {
			refuse = seccomp.KillProcess
		}
		f := seccomp.Default(refuse)
		f.Rules = append(o.surroundings(s, refuse), f.Rules...)
		p, err := assemble(f)
		return []Program{p}, err
	}
	own, err := ownFilter(path, program, read)
	if err != nil {
		return nil, err
	}
	rules := append(o.surroundings(s, refuse), seccomp.Handed(refuse).Rules...)
	p, err := assemble(seccomp.Filter{Default: seccomp.Allow, Rules: rules})
	return []Program{p, own}, err
}

// surroundings returns the rules that follow from the sandbox, whatever a filter lets
// a program do.
func (o *Options) surroundings(s *spawn.Spec, refuse seccomp.Action) (rules []seccomp.Rule) {
	switch {
	case slices.ContainsFunc(o.Mounts, func(m Mount) bool { return m.Write }):
		rules = append(rules, seccomp.SetID(refuse).Rules...)
	case !o.Overlay: // there programs are installed
		rules = append(rules, seccomp.SetMode(refuse).Rules...)
	}
	if !ownGroup(s, o) {
		rules = append(rules, seccomp.SharedGroup(refuse, !o.fencesSignals(s)).Rules...)
	}
	return rules
}

func assemble(f seccomp.Filter) (Program, error) {
	code, err := seccomp.Assemble(f, seccomp.Arch(runtime.GOARCH))
	if err != nil {
		return Program{}, &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrUnavailable, Op: "seccomp", Err: err,
			Msg: "there is no filter for this architecture; seccomp=off goes without"}
	}
	return Program{Code: code}, nil
}

// ownFilter returns the program of the caller's filter.
func ownFilter(path string, program bool, read Reader) (Program, error) {
	if program {
		return programFile(path)
	}
	text, err := readFile(path)
	if err != nil {
		return Program{}, err
	}
	if read == nil {
		return Program{}, badOption("seccomp=%s: nobody here reads profiles", short(path))
	}
	return read(path, text)
}

// programFile returns the program that a file is.
func programFile(path string) (Program, error) {
	const instruction, most = 8, 4096 // bytes; BPF_MAXINSNS
	code, err := readFile(path)
	if err == nil && (len(code) == 0 || len(code)%instruction != 0 || len(code) > instruction*most) {
		err = badOption("seccomp=%s: it has %d bytes: want 1 to %d instructions of %d", short(programPrefix+path), len(code), most, instruction)
	}
	return Program{Code: string(code)}, err
}

// maxFile bounds what is read of a filter's file.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, notThere("seccomp", path, err)
	}
	if !st.Mode().IsRegular() { // a pipe would be waited for
		return nil, badOption("seccomp=%s: want a regular file, it is %s", short(path), st.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, notThere("seccomp", path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, notThere("seccomp", path, err)
	case len(text) > maxFile:
		return nil, badOption("seccomp=%s: it has more than %d bytes", short(path), maxFile)
	}
	return text, nil
}

// Refused is the error of a filter that no program could be started with.
func Refused(path string, names []string) error {
	e := badOption("it refuses %s, without which no program starts", strings.Join(names, " and ")).(*spawn.Error)
	e.Op, e.Path = string(spawn.OpSeccomp), path
	return e
}
