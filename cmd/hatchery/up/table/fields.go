package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

// A fieldSet is the fields of one table. What is wrong with one is noted, and its
// value is the zero value then.
type fieldSet struct {
	*reader
	service string   // what errors name
	key     []string // of the table
	values  map[string]any
	known   []string // that were asked for
}

// bad notes what is wrong with a field.
func (f *fieldSet) bad(field, format string, args ...any) {
	line := f.at(append(slices.Clone(f.key), strings.Split(field, ".")...)...)
	if above := f.key; f.service == "" {
		field = strings.Join(append(slices.Clone(above), field), ".")
	} else if len(above) > 2 { // service, its name, and more
		field = strings.Join(append(slices.Clone(above[2:]), field), ".")
	}
	f.add(line, f.service, field, format, args...)
}

// get returns the value of a field, and whether it is there.
func (f *fieldSet) get(field string) (any, bool) {
	f.known = append(f.known, field)
	v, ok := f.values[field]
	return v, ok
}

// value returns the value of a field if it has the type T. A value of another
// type is wrong.
func value[T any](f *fieldSet, field, want string) (v T, ok bool) {
	given, ok := f.get(field)
	if !ok {
		return v, false
	}
	if v, ok = given.(T); !ok {
		f.bad(field, "it is %s: want %s", kind(given), want)
	}
	return v, ok
}

// text returns the value of a field that is a string, and not empty.
func (f *fieldSet) text(field, want string) string {
	s, ok := value[string](f, field, want)
	if ok && (s == "" || strings.ContainsRune(s, 0)) {
		f.bad(field, "it is %q: want %s", s, want)
		return ""
	}
	return s
}

// list returns the value of a field that is a list of strings.
func (f *fieldSet) list(field, want string) []string {
	given, ok := value[[]any](f, field, want)
	if !ok {
		return nil
	}
	var out []string
	for i, v := range given {
		s, ok := v.(string)
		switch {
		case !ok:
			f.bad(field, "entry %d is %s: want %s", i+1, kind(v), want)
			return nil
		case strings.ContainsRune(s, 0):
			f.bad(field, "entry %d has a NUL byte, which no process can be given", i+1)
			return nil
		}
		out = append(out, s)
	}
	return out
}

// program returns a program and its arguments.
func (f *fieldSet) program(field string) []string {
	const want = `["PROGRAM", "ARG", ...], a list of strings`
	p := f.list(field, want)
	if _, given := f.values[field].([]any); given && (len(p) == 0 || p[0] == "") && !f.isBad(field) {
		f.bad(field, "there is no program in it: want %s", want)
	}
	return p
}

// isBad reports whether something is wrong with a field already.
func (f *fieldSet) isBad(field string) bool {
	return slices.ContainsFunc(f.problems, func(p Problem) bool { return p.Service == f.service && p.Field == field })
}

// registrarAt says why the registrar cannot be at an address: it has no certificates.
func registrarAt(a address.Addr) error {
	if err := a.Reachable(); err != nil {
		return err
	}
	if !a.IsUnix() && !a.AddrPort().Addr().IsLoopback() {
		return fmt.Errorf("%v is not within this host, where alone the registrar serves without TLS: want a Unix socket, or a loopback address", a)
	}
	return nil
}

// addresses returns addresses as canonical multiaddrs. Check says what is wrong with
// one; it may be nil.
func (f *fieldSet) addresses(field string, check func(address.Addr) error) []string {
	var out []string
	for i, text := range f.list(field, `a list of addresses, such as ["/ip4/127.0.0.1/tcp/1616"]`) {
		a, err := address.Parse(text)
		if err == nil && check != nil {
			err = check(a)
		}
		if err != nil {
			f.bad(field, "entry %d: %v", i+1, err)
			return nil
		}
		out = append(out, a.String())
	}
	return out
}

// duration returns the value of a field that is a time.
func (f *fieldSet) duration(field string) time.Duration {
	const want = `a time with its unit, such as "500ms" or "1m30s"`
	s, ok := value[string](f, field, want)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		f.bad(field, "it is %q: want %s", s, want)
		return 0
	}
	return d
}

// unknown refuses the fields that nobody has asked for.
func (f *fieldSet) unknown() {
	slices.Sort(f.known)
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		if !slices.Contains(f.known, name) {
			f.bad(name, "there is no such field: want one of %s", strings.Join(f.known, ", "))
		}
	}
}

// kind says what a value of TOML is.
func kind(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the string %q", v)
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a time"
}
