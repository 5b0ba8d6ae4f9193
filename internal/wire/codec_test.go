package wire_test

import (
	"encoding"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
)

// A handCoded value has the encoding that package spawn writes by hand.
type handCoded interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// codecs are the messages that have both encodings.
func codecs() map[string]struct {
	generated proto.Message
	byHand    func() handCoded
} {
	return map[string]struct {
		generated proto.Message
		byHand    func() handCoded
	}{
		"Spec":       {&spawnv1.Spec{}, func() handCoded { return new(spawn.Spec) }},
		"Plan":       {&spawnv1.Plan{}, func() handCoded { return new(spawn.Plan) }},
		"ExitStatus": {&spawnv1.ExitStatus{}, func() handCoded { return new(spawn.ExitStatus) }},
		"Error":      {&spawnv1.Error{}, func() handCoded { return new(spawn.Error) }},
	}
}

// TestGeneratedToHand fills every field that the .proto file has, with edge
// values, and takes the message through the hand-written encoding and back:
// what that does not know, or knows differently, is lost or changed.
func TestGeneratedToHand(t *testing.T) {
	for name, c := range codecs() {
		t.Run(name, func(t *testing.T) {
			for seed := range fillings {
				want := proto.Clone(c.generated)
				fill(want.ProtoReflect(), seed)
				settle(want)
				data, err := proto.Marshal(want)
				if err != nil {
					t.Fatal(err)
				}
				v := c.byHand()
				if err := v.UnmarshalBinary(data); err != nil {
					t.Fatalf("filling %d: %v", seed, err)
				}
				again, err := v.AppendBinary(nil)
				if err != nil {
					t.Fatal(err)
				}
				got := proto.Clone(c.generated)
				if err := proto.Unmarshal(again, got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
					t.Errorf("filling %d: -generated +through the hand-written one\n%s", seed, diff)
				}
			}
		})
	}
}

// TestHandToGenerated fills every field of the Go types instead: one that the
// .proto file does not have would be an unknown field of the message.
func TestHandToGenerated(t *testing.T) {
	terminal, umask := 2, uint32(0o27)
	for name, c := range codecs() {
		t.Run(name, func(t *testing.T) {
			v := c.byHand()
			fillStruct(t, reflect.ValueOf(v).Elem())
			switch v := v.(type) {
			case *spawn.Spec:
				v.Files = []*os.File{os.Stdin, nil, os.Stderr}
				v.Terminal, v.Foreground, v.Umask = &terminal, &terminal, &umask
			case *spawn.Error:
				v.Err, v.Kind = nil, spawn.ErrUnavailable
			case *spawn.Plan:
				v.Files = nil
			}
			data, err := v.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			m := proto.Clone(c.generated)
			if err := proto.Unmarshal(data, m); err != nil {
				t.Fatal(err)
			}
			everyFieldSet(t, m.ProtoReflect())
			again, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			got := c.byHand()
			if err := got.UnmarshalBinary(again); err != nil {
				t.Fatal(err)
			}
			twice, _ := got.AppendBinary(nil)
			if string(twice) != string(data) {
				t.Errorf("encoded again it differs:\n%x\n%x", data, twice)
			}
		})
	}
}

// TestEveryKind takes every error kind of the .proto file through package
// spawn: the two lists must be the same.
func TestEveryKind(t *testing.T) {
	for number, name := range spawnv1.ErrorKind_name {
		data, err := proto.Marshal(&spawnv1.Error{Kind: spawnv1.ErrorKind(number)})
		if err != nil {
			t.Fatal(err)
		}
		var e spawn.Error
		if err := e.UnmarshalBinary(data); err != nil || e.Kind != kinds()[spawnv1.ErrorKind(number)] {
			t.Errorf("%s became %v, %v", name, e.Kind, err)
		}
		if again, _ := e.AppendBinary(nil); string(again) != string(data) {
			t.Errorf("%s: %x became %x", name, data, again)
		}
	}
	if len(kinds()) != len(spawnv1.ErrorKind_name) {
		t.Errorf("%d kinds in this test, %d in the .proto file", len(kinds()), len(spawnv1.ErrorKind_name))
	}
	const unknown = 1000
	data, _ := proto.Marshal(&spawnv1.Error{Kind: unknown, Msg: []byte("m")})
	var e spawn.Error
	if err := e.UnmarshalBinary(data); err != nil || e.Kind != nil || e.Msg != "m" {
		t.Errorf("a kind of the future became %#v, %v", e, err)
	}
}

// kinds is the list as the .proto file names it.
func kinds() map[spawnv1.ErrorKind]error {
	return map[spawnv1.ErrorKind]error{
		spawnv1.ErrorKind_ERROR_KIND_UNSPECIFIED:     nil,
		spawnv1.ErrorKind_ERROR_KIND_NOT_IMPLEMENTED: spawn.ErrNotImplemented,
		spawnv1.ErrorKind_ERROR_KIND_UNAVAILABLE:     spawn.ErrUnavailable,
		spawnv1.ErrorKind_ERROR_KIND_UNKNOWN_METHOD:  spawn.ErrUnknownMethod,
		spawnv1.ErrorKind_ERROR_KIND_PLUGIN_GONE:     spawn.ErrPluginGone,
		spawnv1.ErrorKind_ERROR_KIND_KEEPER_GONE:     spawn.ErrKeeperGone,
		spawnv1.ErrorKind_ERROR_KIND_LOST:            spawn.ErrLost,
		spawnv1.ErrorKind_ERROR_KIND_BAD_PLAN:        spawn.ErrBadPlan,
		spawnv1.ErrorKind_ERROR_KIND_BAD_OPTION:      spawn.ErrBadOption,
		spawnv1.ErrorKind_ERROR_KIND_PROTOCOL:        spawn.ErrProtocol,
		spawnv1.ErrorKind_ERROR_KIND_VERSION:         spawn.ErrVersion,
		spawnv1.ErrorKind_ERROR_KIND_UNTRUSTED:       spawn.ErrUntrusted,
		spawnv1.ErrorKind_ERROR_KIND_TIMEOUT:         spawn.ErrTimeout,
		spawnv1.ErrorKind_ERROR_KIND_CANCELED:        spawn.ErrCanceled,
		spawnv1.ErrorKind_ERROR_KIND_CLOSED:          spawn.ErrClosed,
		spawnv1.ErrorKind_ERROR_KIND_BROKEN:          spawn.ErrBroken,
	}
}

// fillings is how many different fillings there are: small values, values at
// the edge of their type, negative ones.
const fillings = 3

func fill(m protoreflect.Message, seed int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !f.IsList() {
			m.Set(f, fillValue(m.NewField(f), f, seed, i))
			continue
		}
		list := m.Mutable(f).List()
		for n := range seed + 1 {
			list.Append(fillValue(list.NewElement(), f, seed, i+n))
		}
	}
}

func fillValue(empty protoreflect.Value, f protoreflect.FieldDescriptor, seed, i int) protoreflect.Value {
	signed := []int64{int64(i + 1), 1<<31 - 1, -1}[seed]
	switch f.Kind() {
	case protoreflect.MessageKind:
		fill(empty.Message(), seed)
		return empty
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(1 + i%4))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.Repeat("é", i*seed*50+1))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(strings.Repeat("\xff\x00=", i*seed*50+1)))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind:
		return protoreflect.ValueOfInt32(int32(signed))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind:
		return protoreflect.ValueOfInt64(signed << (20 * seed))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(signed))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(uint64(signed))
	}
	panic("no filling for a field of kind " + f.Kind().String())
}

// settle makes a filled message one that means something where the hand-written
// decoder checks that.
func settle(m proto.Message) {
	if s, ok := m.(*spawnv1.Spec); ok {
		s.FileCount, s.OpenFiles = spawn.MaxFiles, []uint32{0, 2, spawn.MaxFiles - 1}
		s.UmaskPlusOne = 1 << 32 // the mask 0xffffffff
		s.TerminalPlusOne = 1 << 20
		s.ForegroundPlusOne = 1 << 20
	}
}

// fillStruct gives every exported field a value that is not its zero value.
func fillStruct(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			fillAny(t, v.Field(i))
		}
	}
}

func fillAny(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(-3)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(3)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fillAny(t, v.Index(i))
		}
	case reflect.Pointer:
		if v.Type() != reflect.TypeFor[*os.File]() {
			v.Set(reflect.New(v.Type().Elem()))
			fillAny(t, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(3, 4)))
			return
		}
		fillStruct(t, v)
	case reflect.Interface:
		v.Set(reflect.ValueOf(errors.New("cause")))
	default:
		t.Fatalf("no filling for a field of type %v", v.Type())
	}
}

// everyFieldSet checks that no field of m, or of what it contains, is missing
// or unknown.
func everyFieldSet(t *testing.T, m protoreflect.Message) {
	t.Helper()
	if u := m.GetUnknown(); len(u) > 0 {
		t.Errorf("%s has no field for %x", m.Descriptor().Name(), u)
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case !m.Has(f):
			t.Errorf("nothing fills %s", f.FullName())
		case f.IsList() && f.Kind() == protoreflect.MessageKind:
			for n := range m.Get(f).List().Len() {
				everyFieldSet(t, m.Get(f).List().Get(n).Message())
			}
		case f.Kind() == protoreflect.MessageKind:
			everyFieldSet(t, m.Get(f).Message())
		}
	}
}
