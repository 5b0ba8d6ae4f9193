package spawn

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fuzz holds that any bytes are refused or decoded, without a panic, and that
// what was decoded survives another journey, byte for byte from then on.
func fuzz(f *testing.F, m message, use func(t *testing.T, m message)) {
	typ := reflect.TypeOf(m).Elem()
	t := &testing.T{} // for the filler, which fails only on unknown types
	full := filler{t: t, skip: notSent()}
	v := reflect.New(typ)
	full.fill(v.Elem())
	whole, _ := v.Interface().(message).AppendBinary(nil)
	f.Add(whole)
	f.Add(greased(f, whole))
	f.Add([]byte{})
	f.Add([]byte("\x0a\x00\x12\x02\x08\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first := reflect.New(typ).Interface().(message)
		if first.UnmarshalBinary(data) != nil {
			return
		}
		sent, _ := first.AppendBinary(nil)
		second := reflect.New(typ).Interface().(message)
		if err := second.UnmarshalBinary(sent); err != nil {
			t.Fatalf("%v: of its own encoding", err)
		}
		if d := cmp.Diff(first, second, same()...); d != "" {
			t.Errorf("-sent +received:\n%s", d)
		}
		if again, _ := second.AppendBinary(nil); !bytes.Equal(again, sent) {
			t.Errorf("% x became % x", sent, again)
		}
		use(t, first)
	})
}

func FuzzSpec(f *testing.F) {
	f.Add(putUint(putUint(nil, 6, 3), 7, 2))
	fuzz(f, &Spec{}, func(t *testing.T, m message) {
		s := m.(*Spec)
		s.Validate()
		s.Shape()
		Standard(s)
		if open := s.OpenFiles(); !s.AttachFiles(make([]*os.File, len(open))) {
			t.Error("as many files as were asked for cannot be attached")
		}
	})
}

func FuzzPlan(f *testing.F) {
	fuzz(f, &Plan{}, func(t *testing.T, m message) {
		p := m.(*Plan)
		for _, s := range p.Steps {
			if s.String() == "" {
				t.Error("a step without words")
			}
		}
		p.Insert(Setsid())
		p.InsertBefore(OpExec, Setsid())
	})
}

func FuzzExitStatus(f *testing.F) {
	fuzz(f, &ExitStatus{}, func(t *testing.T, m message) {
		s := m.(*ExitStatus)
		if s.String() == "" {
			t.Error("a status without words")
		}
		s.ShellCode()
	})
}

func FuzzError(f *testing.F) {
	fuzz(f, &Error{}, func(t *testing.T, m message) {
		e := m.(*Error)
		if e.Error() == "" {
			t.Error("an error without words")
		}
		e.Unwrap()
		e.Retryable()
	})
}
