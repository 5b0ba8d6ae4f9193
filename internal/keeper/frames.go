package keeper

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Frame types, host to keeper.
const (
	frameLaunch    = iota + 1 // ID is the child's from now on
	frameSignal               // child id, signal
	frameKill                 // child id: SIGKILL to it and its descendants
	frameAbort                // child id: SIGKILL if it is not the program yet
	frameEnd                  // grace, limit: end everything, answer, exit
	frameDismiss              // exit when there are no children; not answered
	frameAsk                  // child id, signal: see ask.go
	frameClear                // child id, grace, limit: end what it left; answered by frameCleared
	frameDetach               // to a keeper that is to outlive its host: see detach.go
	frameAdopt                // nonce; answered by frameLaunched: see detach_serve.go
	frameLaunchAll            // ID is the first child's: see batch_frames.go
	frameWarm                 // number, a launch: have processes ready for it
	frameTemplates            // answered by frameTemplatesAre
	frameHeld                 // as frameLaunch, to be finished when the host nods: see hold.go
)

// Frame types, keeper to host.
const (
	frameLaunched     = iota + 65 // ID is the child's; one descriptor: its pidfd
	frameExited                   // any number of exit records
	frameDone                     // ID is the request's; an error or nothing
	frameCleared                  // ID is the request's; who ended, who is left
	frameLaunchedAll              // any number of answers for children of batches
	frameTemplatesAre             // ID is the request's; states of templates
)

// Config says how to start a keeper.
type Config struct {
	// Folder is the host's runtime folder, which the keeper removes when it
	// ends. Empty means none.
	Folder string

	// Gone, if it is not nil, is called once when the lane to the keeper has
	// ended, however it did, before anybody is told of the children that are
	// lost with it. It must not block, and may be called before Start returns.
	Gone func(*Client)

	detached bool // see StartDetached
}

// A Launch is the request to make one child.
type Launch struct {
	Plan  []byte // spawn.Plan, encoded
	Path  string
	Args  []string
	Env   []string
	Dir   string
	Files []int // numbers in the child
	// FDs are the plan's descriptors, then one for each of Files.
	FDs []int
}

// A Started is a child that became its program.
type Started struct {
	ID    uint64
	Pid   int
	Pidfd int   // close-on-exec, the caller's to close; -1 when there is none
	Warm  bool  // it was handed over by a process that was ready: see spawn.Handoff
	Cold  error // why it was not although its plan has it; nil for any other child
}

var errShort = errors.New("truncated request")

func (l *Launch) append(b []byte) []byte {
	b = binary.AppendUvarint(slices.Grow(b, l.size()), uint64(len(l.Plan)))
	b = append(b, l.Plan...)
	b = appendString(b, l.Path)
	b = appendString(b, l.Dir)
	b = appendStrings(b, l.Args)
	b = appendStrings(b, l.Env)
	b = binary.AppendUvarint(b, uint64(len(l.Files)))
	for _, n := range l.Files {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// size is about what append appends, and not less as a rule.
func (l *Launch) size() int {
	n := len(l.Plan) + len(l.Path) + len(l.Dir) + 64 + 2*len(l.Files)
	for _, ss := range [][]string{l.Args, l.Env} {
		for _, s := range ss {
			n += len(s) + 2
		}
	}
	return n
}

// parse reads what append made. The plan shares the memory of b; the rest does not.
func (l *Launch) parse(b []byte) error {
	n, head := binary.Uvarint(b)
	if head <= 0 || n > uint64(len(b)-head) {
		return errShort
	}
	b = b[head:]
	l.Plan = b[:n:n]
	r := reader{s: string(b[n:])}
	l.Path, l.Dir = r.string(), r.string()
	l.Args = r.strings(l.Args[:0])
	l.Env = r.strings(l.Env[:0])
	l.Files = l.Files[:0]
	for range r.count() {
		l.Files = append(l.Files, int(r.uvarint()))
	}
	if r.bad || r.s != "" {
		return errShort
	}
	return nil
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendStrings(b []byte, ss []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(ss)))
	for _, s := range ss {
		b = appendString(b, s)
	}
	return b
}

// A reader takes a request apart. After an error it yields zero values and
// bad is set.
type reader struct {
	s   string
	bad bool
}

func (r *reader) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(r.s) && i < binary.MaxVarintLen64; i++ {
		c := r.s[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.s = r.s[i+1:]
			return v
		}
	}
	r.bad, r.s = true, ""
	return 0
}

// count reads a number of elements, each of which takes a byte at least.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.s)) {
		r.bad, r.s = true, ""
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.count()
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) strings(ss []string) []string {
	for range r.count() {
		ss = append(ss, r.string())
	}
	return ss
}

// An Exit is one exit as the keeper reports it.
type Exit struct {
	ID     uint64
	Pid    int
	Status spawn.ExitStatus
	// Left says that the child may have left processes behind: see
	// [Client.Clear].
	Left bool
}

// A Proc is a process that a child left behind.
type Proc struct {
	Pid  int
	Name string // as ps calls it, cut off by the kernel after 15 bytes
}

// Cleared is what has become of what a child left behind.
type Cleared struct{ Ended, Left []Proc }

// maxNamed bounds the processes that are named, of each kind.
const maxNamed = 500

func (c *Cleared) append(b []byte) []byte {
	for _, list := range [][]Proc{c.Ended, c.Left} {
		list = list[:min(len(list), maxNamed)]
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, p := range list {
			b = appendString(binary.AppendUvarint(b, uint64(p.Pid)), p.Name)
		}
	}
	return b
}

// parse reads what append made.
func (c *Cleared) parse(s string) error {
	r := reader{s: s}
	for _, list := range []*[]Proc{&c.Ended, &c.Left} {
		for range r.count() {
			*list = append(*list, Proc{Pid: int(r.uvarint()), Name: r.string()})
		}
	}
	if r.bad || r.s != "" {
		return errShort
	}
	return nil
}

// appendError appends the encoding of an error, or nothing for nil.
func appendError(b []byte, err error) []byte {
	if err == nil {
		return b
	}
	b, _ = spawn.AsError(err).AppendBinary(b)
	return b
}

// parseError reads what appendError made.
func parseError(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	e := new(spawn.Error)
	if err := e.UnmarshalBinary(b); err != nil {
		return &spawn.Error{Kind: spawn.ErrProtocol, Msg: "the keeper's answer", Err: err}
	}
	return e
}
