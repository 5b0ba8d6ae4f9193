package registry

import (
	"fmt"
	"strings"
)

// FlagName is the flag that chooses the method, without its dashes.
const FlagName = "spawn-backend"

// A Flag is a command line flag whose value is a registered key. It is a
// flag.Getter of the standard library and a Value of pflag, with which cobra
// parses. A value that is not registered is refused and the earlier choice
// stands.
type Flag struct {
	reg *Registry
	key SpawnMethodKey
}

// NewFlag returns a flag over the methods of reg that has not been given yet.
func NewFlag(reg *Registry) *Flag { return &Flag{reg: reg} }

// Set chooses a key. Its error is that of [Registry.Lookup].
func (f *Flag) Set(s string) error {
	e, err := f.reg.Lookup(s)
	if err != nil {
		return err
	}
	f.key = e.Key
	return nil
}

// Key returns the chosen key, or "" while the flag has not been given.
func (f *Flag) Key() SpawnMethodKey { return f.key }

// String returns the chosen key, or "" while the flag has not been given.
func (f *Flag) String() string {
	if f == nil {
		return ""
	}
	return string(f.key)
}

// Get returns the chosen key as a SpawnMethodKey.
func (f *Flag) Get() any { return f.key }

// Type returns the word that help shows for the value.
func (f *Flag) Type() string { return "spawn-method" }

// Usage returns the help text: what the flag does, and every key.
func (f *Flag) Usage() string {
	var b strings.Builder
	b.WriteString("how children are started: ")
	for i, e := range f.reg.Entries() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(e.Key))
		switch {
		case e.Key == DefaultKey:
			b.WriteString(" (default)")
		case e.Status == Blocked || e.Status == Experimental:
			fmt.Fprintf(&b, " (%s)", e.Status)
		}
	}
	return b.String()
}

// Complete returns the keys that begin with prefix, sorted, each followed by a
// tab and its summary: the form in which cobra takes completions.
func (f *Flag) Complete(prefix string) []string {
	var out []string
	for _, e := range f.reg.Entries() {
		if !strings.HasPrefix(string(e.Key), prefix) {
			continue
		}
		summary, _, _ := strings.Cut(e.Summary, "\n")
		if summary == "" {
			summary = e.Source()
		}
		if e.Status == Blocked {
			summary = "blocked: " + summary
		}
		out = append(out, string(e.Key)+"\t"+strings.ReplaceAll(summary, "\t", " "))
	}
	return out
}
