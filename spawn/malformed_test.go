package spawn

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// grease is what a later version may add: a field of each wire type, with
// numbers that nothing here uses.
func grease() []byte {
	var b []byte
	b = putUint(b, 2000, 1<<40)
	b = putString(b, 2001, "a later version says something")
	b = append(putKey(b, 2002, wireI64), 1, 2, 3, 4, 5, 6, 7, 8)
	b = append(putKey(b, 2003, wireI32), 1, 2, 3, 4)
	return putMessage(b, 1<<29-1, func(b []byte) []byte { return putUint(b, 1, 1) })
}

// greased returns data with grease before, between and behind its fields.
func greased(t testing.TB, data []byte) []byte {
	t.Helper()
	out := grease()
	for len(data) > 0 {
		_, n, err := nextField(data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, data[:n]...), grease()...)
		data = data[n:]
	}
	return out
}

func TestUnknownFieldsArePassedOver(t *testing.T) {
	for _, m := range []message{&Spec{}, &Plan{}, &ExitStatus{}, &Error{}} {
		f := filler{t: t, skip: notSent()}
		f.fill(reflect.ValueOf(m).Elem())
		got := reflect.New(reflect.TypeOf(m).Elem()).Interface().(message)
		decode(t, got, greased(t, encode(t, m)))
		if d := cmp.Diff(m, got, same()...); d != "" {
			t.Errorf("%T: -sent +received:\n%s", m, d)
		}
	}
}

func TestUnknownFieldsInsideArePassedOver(t *testing.T) {
	var spec Spec
	inner := putMessage(nil, 11, func(b []byte) []byte { return append(putUint(b, 1, 7), grease()...) })
	inner = putMessage(inner, 13, func(b []byte) []byte { return append(grease(), putUint(nil, 2, 5)...) })
	inner = putMessage(inner, 16, func(b []byte) []byte { return append(putString(b, 1, "k"), grease()...) })
	decode(t, &spec, inner)
	want := Spec{Credential: &Credential{UID: 7}, Limits: []Limit{{Soft: 5}}, Options: []Option{{Key: "k"}}}
	if d := cmp.Diff(want, spec, same()...); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestKindOfALaterVersion(t *testing.T) {
	var e Error
	decode(t, &e, putString(putUint(nil, 6, 4711), 7, "something new"))
	if e.Kind != nil || e.Error() != "something new" {
		t.Errorf("got kind %v, text %q", e.Kind, e.Error())
	}
}

func TestMalformedIsRefusedWithWords(t *testing.T) {
	tests := []struct {
		name string
		into message
		data []byte
		want string
	}{
		{"key cut off", &Spec{}, []byte{0x80}, "bad field key"},
		{"field 0", &Spec{}, []byte{0x00, 0x00}, "bad field key"},
		{"field number too large", &Spec{}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, "bad field key"},
		{"key without end", &Spec{}, []byte(strings.Repeat("\xff", 20)), "bad field key"},
		{"varint cut off", &Spec{}, []byte{8 << 3, 0x80}, "field 8: bad varint"},
		{"string cut off", &Error{}, []byte{1<<3 | 2, 5, 'a'}, "field 1: truncated"},
		{"huge length", &Error{}, append([]byte{1<<3 | 2}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), "field 1: truncated"},
		{"8 bytes cut off", &Plan{}, []byte{1<<3 | 1, 1, 2, 3}, "field 1: truncated"},
		{"4 bytes cut off", &Plan{}, []byte{1<<3 | 5, 1, 2, 3}, "field 1: truncated"},
		{"group of old protobuf", &Plan{}, []byte{1<<3 | 3}, "field 1: wire type 3"},
		{"step cut off", &Plan{}, []byte{1<<3 | 2, 1, 0x80}, "bad field key"},
		{"argument cut off", &Plan{}, putMessage(nil, 1, func(b []byte) []byte { return putString(b, 2, "\x80") }), "bad field key"},
		{"usage cut off", &ExitStatus{}, putString(nil, 6, "\x80"), "bad field key"},
		{"packed numbers cut off", &Spec{}, putString(nil, 14, "\x80"), "field 14: bad packed varint"},
		{"too many steps", &Plan{}, []byte(strings.Repeat("\x0a\x00", maxSteps+1)), "more than 4096 steps"},
		{"too large a plan", &Plan{}, append([]byte{1<<3 | 2, 0x80, 0x80, 0x40}, make([]byte, maxPlan)...), "at most 1048576"},
		{"too many descriptors", &Spec{}, putUint(nil, 6, MaxFiles+1), "241 descriptors: at most 240 can be passed"},
		{"absurdly many descriptors", &Spec{}, putUint(nil, 6, 1<<63), "at most 240 can be passed"},
		{"descriptor beyond the last", &Spec{}, putUint(putUint(nil, 6, 3), 7, 3), "descriptor 3 of 3"},
		{"descriptor far beyond the last", &Spec{}, putUint(putUint(nil, 6, 3), 7, 1<<16), "descriptor 240 of 3"},
		{"descriptor twice", &Spec{}, putUint(putUint(putUint(nil, 6, 3), 7, 1), 7, 1), "out of order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.into.UnmarshalBinary(tt.data)
			if !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a malformed message: %s", err, tt.want)
			}
		})
	}
}

func TestAsManyStepsAsAllowed(t *testing.T) {
	var p Plan
	decode(t, &p, []byte(strings.Repeat("\x0a\x00", maxSteps)))
	if len(p.Steps) != maxSteps {
		t.Errorf("%d steps", len(p.Steps))
	}
}

// Every message that is cut off anywhere is refused or is a shorter message;
// nothing panics.
func TestCutOffAnywhere(t *testing.T) {
	for _, m := range []message{&Spec{}, &Plan{}, &ExitStatus{}, &Error{}} {
		f := filler{t: t, skip: notSent()}
		f.fill(reflect.ValueOf(m).Elem())
		whole := encode(t, m)
		for n := range whole {
			reflect.New(reflect.TypeOf(m).Elem()).Interface().(message).UnmarshalBinary(whole[:n])
		}
	}
}

func TestPlanLeavesFilesAlone(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	p := Plan{Files: []*os.File{f}}
	if err := p.UnmarshalBinary(nil); err != nil || len(p.Files) != 1 || p.Files[0] != f {
		t.Errorf("got %v, %v", p.Files, err)
	}
	p.Files = append(p.Files, nil)
	p.CloseFiles()
	if p.Files != nil || !errors.Is(f.Close(), os.ErrClosed) {
		t.Error("CloseFiles did not close and forget")
	}
}
