package pins

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/registry"
)

// FileName is the name of a lock file.
const FileName = "backends.lock"

// Any stands for every platform that has no pin of its own.
const Any = "any"

// The facts about a method besides its pins.
const (
	Status      = "status"
	Summary     = "summary"
	Reason      = "reason"
	Alternative = "alternative"
	Analysis    = "analysis"
	Scenario    = "scenario"
)

// texts returns the facts that are no pins, in the order of the file.
func texts() []string {
	return []string{Status, Summary, Reason, Alternative, Analysis, Scenario}
}

// A Fact is one line.
type Fact struct {
	Key   registry.SpawnMethodKey
	Name  string // GOOS/GOARCH, Any, or one of the constants
	Value string
	Line  int // counting from 1; 0 for one that was not read
}

// A Lock is what a lock file says. Its zero value is that of an empty file. It
// is not safe for concurrent use.
type Lock struct {
	facts    map[id]Fact
	comments map[id][]string // the lines above a fact
	header   []string        // the lines at the top, up to the first blank one
	trailer  []string        // the lines behind the last fact
}

// An id is what one value can be given for.
type id struct {
	key  registry.SpawnMethodKey
	name string
}

// Get returns a fact about a method.
func (l *Lock) Get(key registry.SpawnMethodKey, name string) (Fact, bool) {
	f, ok := l.facts[id{key, name}]
	return f, ok
}

// Pin returns the pin of a method for a platform: that of the platform itself,
// or else that of Any.
func (l *Lock) Pin(key registry.SpawnMethodKey, platform string) (Fact, bool) {
	if f, ok := l.Get(key, platform); ok {
		return f, true
	}
	return l.Get(key, Any)
}

// Pins returns all pins of a method, sorted by their platforms.
func (l *Lock) Pins(key registry.SpawnMethodKey) []Fact {
	var pins []Fact
	for _, f := range l.Facts() {
		if f.Key == key && isPlatform(f.Name) {
			pins = append(pins, f)
		}
	}
	return pins
}

// Keys returns the methods that the file says something about, sorted.
func (l *Lock) Keys() []registry.SpawnMethodKey {
	keys := map[registry.SpawnMethodKey]bool{}
	for id := range l.facts {
		keys[id.key] = true
	}
	return slices.Sorted(maps.Keys(keys))
}

// Facts returns every fact in the order of the file: by key, the pins first.
func (l *Lock) Facts() []Fact {
	return slices.SortedFunc(maps.Values(l.facts), func(a, b Fact) int {
		return cmp.Or(
			cmp.Compare(a.Key, b.Key),
			cmp.Compare(slices.Index(texts(), a.Name), slices.Index(texts(), b.Name)),
			cmp.Compare(a.Name, b.Name),
		)
	})
}

// Set replaces a fact, or adds it. A value that the file cannot hold is made
// one that it can: only the first line of a text is taken, without what does
// not print. An empty value removes the fact. The error is that of a line
// which breaks a rule; nothing is changed then.
func (l *Lock) Set(key registry.SpawnMethodKey, name, value string) error {
	if !isPlatform(name) {
		value = oneLine(value)
	}
	if value == "" {
		l.drop(id{key, name})
		return nil
	}
	f, err := parseFact(string(key) + " " + name + " " + value)
	if err != nil {
		return err
	}
	l.put(f)
	return nil
}

// Drop removes everything about a method.
func (l *Lock) Drop(key registry.SpawnMethodKey) {
	for _, f := range l.Facts() {
		if f.Key == key {
			l.drop(id{key, f.Name})
		}
	}
}

// Bytes returns the file. Comments stay above the fact that they stood above.
func (l *Lock) Bytes() []byte {
	var b strings.Builder
	write := func(lines []string) {
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	if write(l.header); len(l.header) > 0 {
		b.WriteByte('\n')
	}
	for _, f := range l.Facts() {
		write(l.comments[id{f.Key, f.Name}])
		write([]string{f.String()})
	}
	write(l.trailer)
	return []byte(b.String())
}

// String returns the line.
func (f Fact) String() string { return string(f.Key) + " " + f.Name + " " + f.Value }

func (l *Lock) put(f Fact) {
	if l.facts == nil {
		l.facts, l.comments = map[id]Fact{}, map[id][]string{}
	}
	l.facts[id{f.Key, f.Name}] = f
}

func (l *Lock) drop(i id) {
	delete(l.facts, i)
	delete(l.comments, i)
}
