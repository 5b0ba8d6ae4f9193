package spawn

import (
	"encoding"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A message is what travels.
type message interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

var (
	_ message = (*Spec)(nil)
	_ message = (*Plan)(nil)
	_ message = (*ExitStatus)(nil)
	_ message = (*Error)(nil)
)

// same compares what must be equal on both sides. Kinds are identities.
func same() cmp.Options {
	ofTypeError := func(p cmp.Path) bool { return p.Last().Type() == reflect.TypeFor[error]() }
	return cmp.Options{
		cmpopts.IgnoreUnexported(Spec{}),
		cmp.FilterPath(ofTypeError, cmp.Comparer(func(a, b error) bool { return a == b })),
	}
}

// resend returns what the other side makes of m, decoded into a value that
// already has something else in it.
func resend(t *testing.T, m message) message {
	t.Helper()
	out := reflect.New(reflect.TypeOf(m).Elem())
	f := filler{t: t, n: 1000, skip: notSent()}
	f.fill(out.Elem())
	got := out.Interface().(message)
	decode(t, got, encode(t, m))
	return got
}

func encode(t testing.TB, m message) []byte {
	t.Helper()
	const before = "kept"
	b, err := m.AppendBinary([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	if string(b[:len(before)]) != before {
		t.Fatalf("AppendBinary did not append: %q", b)
	}
	return b[len(before):]
}

func decode(t testing.TB, m message, data []byte) {
	t.Helper()
	kept := slices.Clone(data)
	if err := m.UnmarshalBinary(data); err != nil {
		t.Fatalf("%v\n% x", err, data)
	}
	// The buffer is the receiver's to use again.
	for i := range data {
		data[i] = 0xee
	}
	copyOf := reflect.New(reflect.TypeOf(m).Elem()).Interface().(message)
	if err := copyOf.UnmarshalBinary(kept); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(copyOf, m, same()...); d != "" {
		t.Errorf("the decoded value refers to the buffer, or to what was there before (-want +got):\n%s", d)
	}
}

// Every field of everything that travels survives; a field that is added
// without its encoding fails here.
func TestEveryFieldSurvives(t *testing.T) {
	for _, m := range []message{&Spec{}, &Plan{}, &ExitStatus{}, &Error{}} {
		typ := reflect.TypeOf(m).Elem()
		t.Run(typ.Name(), func(t *testing.T) {
			f := filler{t: t, skip: notSent()}
			f.eachField(t, typ, func(t *testing.T, p any) {
				if d := cmp.Diff(p, any(resend(t, p.(message))), same()...); d != "" {
					t.Errorf("-sent +received:\n%s", d)
				}
			})
		})
	}
}

func TestZeroValuesSurvive(t *testing.T) {
	for _, m := range []message{&Spec{}, &Plan{}, &ExitStatus{}, &Error{}} {
		if d := cmp.Diff(m, resend(t, m), same()...); d != "" {
			t.Errorf("%T: -sent +received:\n%s", m, d)
		}
	}
}

// What is zero and yet says something else than nothing.
func TestPresenceSurvives(t *testing.T) {
	zero, mask := 0, uint32(0)
	for name, s := range map[string]*Spec{
		"nil environment":     {Path: "p"},
		"empty environment":   {Path: "p", Env: []string{}},
		"empty entries":       {Path: "p", Args: []string{"", "a", ""}, Env: []string{"", "=", ""}},
		"not UTF-8":           {Path: "/\xff", Args: []string{"\xc3\x28"}, Env: []string{"\xfe=\xff"}, Dir: "\x80"},
		"terminal 0":          {Path: "p", Terminal: &zero},
		"foreground 0":        {Path: "p", Foreground: &zero},
		"umask 0":             {Path: "p", Umask: &mask},
		"root":                {Path: "p", Credential: &Credential{}},
		"limit 0":             {Path: "p", Limits: []Limit{{}}},
		"no limit":            {Path: "p", Limits: []Limit{{Resource: 7, Soft: Unlimited, Hard: Unlimited}}},
		"same option twice":   {Path: "p", Options: []Option{{"k", "a"}, {"k", ""}, {"", "v"}}},
		"a group of its own":  {Path: "p", Group: NewGroup},
		"newlines and equals": {Path: "p", Args: []string{"a\nb", "=", "a=b=c"}, Env: []string{"NOEQUALS", "=x", "a=b=c\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(s, resend(t, s), same()...); d != "" {
				t.Errorf("-sent +received:\n%s", d)
			}
		})
	}
	p := &Plan{Steps: []Step{{}, {Op: "x", Args: []Arg{{}, Str(""), Int(0), FD(0), Int(-1 << 63), Int(1<<63 - 1)}}}}
	if d := cmp.Diff(p, resend(t, p)); d != "" {
		t.Errorf("plan: -sent +received:\n%s", d)
	}
	e := &Error{Blocked: &Blocked{}}
	if d := cmp.Diff(e, resend(t, e), same()...); d != "" {
		t.Errorf("error: -sent +received:\n%s", d)
	}
}

func TestFilesTravelByNumber(t *testing.T) {
	files := make([]*os.File, 3)
	for i := range files {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	sent := &Spec{Path: "p", Files: []*os.File{files[0], nil, files[1], nil, files[2], nil}}
	if got, want := sent.OpenFiles(), []int{0, 2, 4}; !slices.Equal(got, want) {
		t.Fatalf("OpenFiles before: %v, want %v", got, want)
	}
	var got Spec
	decode(t, &got, encode(t, sent))
	if len(got.Files) != 6 || slices.ContainsFunc(got.Files, func(f *os.File) bool { return f != nil }) {
		t.Errorf("Files after decoding: %v, want 6 times nil", got.Files)
	}
	if !slices.Equal(got.OpenFiles(), []int{0, 2, 4}) {
		t.Errorf("OpenFiles after decoding: %v", got.OpenFiles())
	}
	if got.AttachFiles(files[:2]) || got.Files[0] != nil {
		t.Error("two files were attached where there are three")
	}
	// Passing it on undecided keeps the numbers.
	var again Spec
	decode(t, &again, encode(t, &got))
	if !slices.Equal(again.OpenFiles(), []int{0, 2, 4}) {
		t.Errorf("OpenFiles after passing on: %v", again.OpenFiles())
	}
	if !got.AttachFiles(files) {
		t.Fatal("three files were not attached")
	}
	if !slices.Equal(got.Files, sent.Files) {
		t.Errorf("Files are %v, want %v", got.Files, sent.Files)
	}
	if !slices.Equal(got.OpenFiles(), []int{0, 2, 4}) {
		t.Errorf("OpenFiles after attaching: %v", got.OpenFiles())
	}
	if got.AttachFiles(files) {
		t.Error("files were attached twice")
	}
}

func TestNoFilesToAttach(t *testing.T) {
	var got Spec
	decode(t, &got, encode(t, &Spec{Path: "p", Files: make([]*os.File, 3)}))
	if len(got.Files) != 3 || len(got.OpenFiles()) != 0 || !got.AttachFiles(nil) {
		t.Errorf("Files %v, OpenFiles %v", got.Files, got.OpenFiles())
	}
}
