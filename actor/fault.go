package actor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Limits of an error on its way.
const (
	maxFaults    = 4096     // errors of which it is made
	maxFaultText = 64 << 10 // of one text or stack, in bytes
)

// faultSizes are the bytes of text that are sent of an error, each tried when
// the one before has become too long as JSON, which can be six times as long.
func faultSizes() []int { return []int{512 << 10, 64 << 10, 8 << 10} }

// maxFault is the longest error in a frame, in bytes of JSON: there is a result
// beside it.
const maxFault = channel.MaxPayload / 2

// Fault makes err ready to be sent by the actor of the given name, which is
// where it arose, or what it has crossed if it came from another process.
// What is more than 512 KiB, 4096 errors within errors or 64 KiB of a single
// text is left out. The fault of nil is nil.
func (r Errors) Fault(err error, name string) *channel.Fault {
	if err == nil {
		return nil
	}
	var f *channel.Fault
	for _, size := range faultSizes() {
		e := faultEncoder{kinds: r.all(), name: name, size: size, left: maxFaults}
		f = e.fault(err, 0)
		if f.Path == nil {
			f.Path = []string{name}
		}
		if b, jerr := json.Marshal(f); jerr == nil && len(b) <= maxFault {
			break
		}
	}
	return f
}

// A namedKind is a Kind with its name.
type namedKind struct {
	name string
	Kind
}

// all returns the program's own kinds and those that every program knows, in an
// order that does not change.
func (r Errors) all() []namedKind {
	var all []namedKind
	for _, kinds := range []Errors{r, known()} {
		for _, name := range slices.Sorted(maps.Keys(kinds)) {
			all = append(all, namedKind{name, kinds[name]})
		}
	}
	return all
}

// A faultEncoder makes one fault.
type faultEncoder struct {
	kinds []namedKind
	name  string
	size  int // bytes that may be taken yet
	left  int // errors that may be taken yet
}

// maxDepth is how deep errors are looked into.
const maxDepth = 64

func (e *faultEncoder) fault(err error, depth int) *channel.Fault {
	e.left--
	if remote, ok := err.(*RemoteError); ok {
		return e.passedOn(remote.fault, depth)
	}
	f := &channel.Fault{Text: e.text(err.Error()), Type: fmt.Sprintf("%T", err)}
	for _, k := range e.kinds {
		if data, ok := k.encode(err); ok && len(data) <= e.size {
			f.Type, f.Data = k.name, data
			e.size -= len(data)
			break
		}
	}
	if s, ok := err.(interface{ Stack() string }); ok {
		f.Stack = e.text(s.Stack())
	}
	if p, ok := err.(*panicked); ok {
		f.Panic = true
		f.Type = fmt.Sprintf("%T", p.value)
	}
	for _, w := range unwrap(err) {
		if w != nil && e.size > 0 && e.left > 0 && depth < maxDepth {
			f.Wraps = append(f.Wraps, e.fault(w, depth+1))
		}
	}
	return f
}

// passedOn is the fault of an error that came from another process.
func (e *faultEncoder) passedOn(from *channel.Fault, depth int) *channel.Fault {
	f := *from
	f.Text, f.Stack = e.text(f.Text), e.text(f.Stack)
	if len(f.Path) > 0 {
		f.Path = append(slices.Clone(f.Path), e.name)
	}
	e.size -= len(f.Data)
	f.Wraps = nil
	for _, w := range from.Wraps {
		if w != nil && e.size > 0 && e.left > 0 && depth < maxDepth {
			e.left--
			f.Wraps = append(f.Wraps, e.passedOn(w, depth+1))
		}
	}
	return &f
}

// text takes as much of s as there is room for. JSON is UTF-8.
func (e *faultEncoder) text(s string) string {
	if most := max(0, min(e.size, maxFaultText)); len(s) > most {
		s = s[:most] + " …"
	}
	e.size -= len(s)
	return strings.ToValidUTF8(s, "\ufffd")
}

// unwrap returns what err wraps and does not say by itself.
func unwrap(err error) []error {
	if e, ok := err.(*spawn.Error); ok {
		return []error{e.Err}
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if one := errors.Unwrap(err); one != nil {
		return []error{one}
	}
	return nil
}
