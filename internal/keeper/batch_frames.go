package keeper

import (
	"encoding/binary"

	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// A batch frame asks for several children. What one of them has in common with
// the one before it is not said again: the plan, the environment, and the
// descriptors in the same places. Most often that is all but the arguments, and
// a frame of descriptors costs both sides for each of them, at every clone again.
//
// The children's ids are those from the frame's on. The answers come in one
// frame or in several, in any order; they bring no pidfds, of which many at once
// cost more than one signal through the keeper does for the few children that
// are sent any.
const (
	samePlan = 1 << iota
	sameEnv
)

// batchFDs is how many descriptors are put into a frame, unless one child alone
// needs more: every child that is made meanwhile is born with all of them.
const batchFDs = 64

// batchBytes is how long a frame of several children gets: it needs no memfd.
const batchBytes = lane.MaxInline

// A batchFrame is the payload and the descriptors of a batch frame.
type batchFrame struct {
	n       int
	payload []byte
	fds     []int
	places  []int // where in fds those of the last child are
	last    *Launch
}

// add adds a child, or returns false when the frame has no room for it. The
// first one has always room: it is for the lane to refuse it.
func (b *batchFrame) add(l *Launch) bool {
	payload, fds, places := len(b.payload), len(b.fds), append([]int(nil), b.places...)
	b.append(l)
	if b.n > 0 && (len(b.fds) > batchFDs || len(b.payload) > batchBytes) {
		b.payload, b.fds, b.places = b.payload[:payload], b.fds[:fds], places
		return false
	}
	b.n, b.last = b.n+1, l
	return true
}

func (b *batchFrame) append(l *Launch) {
	flags := byte(0)
	if b.last != nil && same(l.Plan, b.last.Plan) {
		flags |= samePlan
	}
	if b.last != nil && same(l.Env, b.last.Env) {
		flags |= sameEnv
	}
	b.payload = append(b.payload, flags)
	b.payload = binary.AppendUvarint(b.payload, uint64(len(l.FDs)))
	for i, fd := range l.FDs {
		switch {
		case i == len(b.places):
			b.places = append(b.places, len(b.fds))
			b.fds = append(b.fds, fd)
		case b.fds[b.places[i]] != fd:
			b.places[i] = len(b.fds)
			b.fds = append(b.fds, fd)
		}
		b.payload = binary.AppendUvarint(b.payload, uint64(b.places[i]))
	}
	if flags&samePlan == 0 {
		b.payload = appendString(b.payload, string(l.Plan))
	}
	b.payload = appendString(b.payload, l.Path)
	b.payload = appendString(b.payload, l.Dir)
	b.payload = appendStrings(b.payload, l.Args)
	if flags&sameEnv == 0 {
		b.payload = appendStrings(b.payload, l.Env)
	}
	b.payload = binary.AppendUvarint(b.payload, uint64(len(l.Files)))
	for _, n := range l.Files {
		b.payload = binary.AppendUvarint(b.payload, uint64(n))
	}
}

// same reports whether two slices are one.
func same[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// A batchReader reads the payload of a batch frame.
type batchReader struct {
	r    reader
	plan []byte   // of the last child
	env  []string // of the last child: shared, never changed
}

// next reads the next child into l, whose slices it uses but for Env, and
// returns where in the frame's descriptors its own are. After an error there is
// none.
func (b *batchReader) next(l *Launch, places []int) ([]int, error) {
	flags := byte(0)
	if b.r.s == "" {
		b.r.bad = true
	} else {
		flags, b.r.s = b.r.s[0], b.r.s[1:]
	}
	places = places[:0]
	for range b.r.count() {
		places = append(places, int(min(b.r.uvarint(), lane.MaxFDs)))
	}
	if flags&samePlan == 0 {
		b.plan = []byte(b.r.string())
	}
	l.Path, l.Dir = b.r.string(), b.r.string()
	l.Args = b.r.strings(l.Args[:0])
	if flags&sameEnv == 0 {
		b.env = b.r.strings(nil)
	}
	l.Files = l.Files[:0]
	for range b.r.count() {
		l.Files = append(l.Files, int(b.r.uvarint()))
	}
	l.Plan, l.Env = b.plan, b.env
	if b.r.bad {
		return nil, errShort
	}
	return places, nil
}

// appendLaunched appends the answer for one child of a batch.
func appendLaunched(b []byte, id uint64, pid int, err error) []byte {
	b = binary.LittleEndian.AppendUint64(b, id)
	b = binary.LittleEndian.AppendUint32(b, uint32(pid))
	return appendString(b, string(appendError(nil, err)))
}

// parseLaunched reads what appendLaunched made, and returns what follows it.
func parseLaunched(b []byte) (id uint64, pid int, err error, rest []byte, ok bool) {
	if len(b) < 12 {
		return 0, 0, nil, nil, false
	}
	id, pid = binary.LittleEndian.Uint64(b), int(binary.LittleEndian.Uint32(b[8:]))
	n, size := binary.Uvarint(b[12:])
	b = b[12:]
	if size <= 0 || n > uint64(len(b)-size) {
		return 0, 0, nil, nil, false
	}
	return id, pid, parseError(b[size : size+int(n)]), b[size+int(n):], true
}
