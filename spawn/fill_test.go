package spawn

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// A filler sets every field that can be reached from a value to something that
// is not zero and that no other field has. A type it does not know fails the
// test: a new kind of field must be thought about.
type filler struct {
	t *testing.T
	n int
	// skip has the fields that do not travel, as Type.Field, and why.
	skip map[string]string
}

// notSent are the fields that an encoding leaves out on purpose.
func notSent() map[string]string {
	return map[string]string{
		"Spec.Files": "the descriptors travel beside the message",
		"Plan.Files": "the descriptors travel beside the message",
		"Error.Err":  "a cause belongs to its process; its text travels",
		"Error.Kind": "an identity: every one has a test of its own",
		"Spec.open":  "the state of a decoded Spec, not a part of it",
	}
}

func (f *filler) next() int { f.n++; return f.n }

func (f *filler) fill(v reflect.Value) {
	f.t.Helper()
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(time.Unix(1700000000, int64(f.next()))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		// Neither UTF-8 nor without a NUL: what travels is bytes.
		v.SetString(fmt.Sprintf("text %d\x00\xff", f.next()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(-int64(f.next()))
		if v.Type().String() == "syscall.Signal" {
			v.SetInt(int64(f.next()))
		}
	case reflect.Uint8, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(uint64(f.next()))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
		if v.Elem().Kind() == reflect.Int { // Spec.Terminal, an index
			v.Elem().SetInt(int64(f.next()))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Struct:
		for i := range v.NumField() {
			if f.sent(v.Type(), i) {
				f.fill(v.Field(i))
			}
		}
	default:
		f.t.Fatalf("no rule for a field of type %v: extend the filler and the encoding", v.Type())
	}
}

func (f *filler) sent(t reflect.Type, field int) bool {
	_, skip := f.skip[t.Name()+"."+t.Field(field).Name]
	return !skip
}

// eachField calls test with a copy of the zero value for every field of t that
// travels, that field alone filled, and once with all of them filled.
func (f *filler) eachField(t *testing.T, typ reflect.Type, test func(t *testing.T, p any)) {
	for i := range typ.NumField() {
		if !f.sent(typ, i) {
			continue
		}
		t.Run(typ.Field(i).Name, func(t *testing.T) {
			p := reflect.New(typ)
			f.t = t
			f.fill(p.Elem().Field(i))
			test(t, p.Interface())
		})
	}
	t.Run("all", func(t *testing.T) {
		p := reflect.New(typ)
		f.t = t
		f.fill(p.Elem())
		test(t, p.Interface())
	})
}

func TestNotSentNamesFieldsThatExist(t *testing.T) {
	types := map[string]reflect.Type{}
	for _, v := range []any{Spec{}, Plan{}, Error{}} {
		types[reflect.TypeOf(v).Name()] = reflect.TypeOf(v)
	}
	for name := range notSent() {
		found := false
		for typeName, typ := range types {
			for i := range typ.NumField() {
				found = found || typeName+"."+typ.Field(i).Name == name
			}
		}
		if !found {
			t.Errorf("%s is no field", name)
		}
	}
}
