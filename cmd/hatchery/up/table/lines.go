package table

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// separator is between the parts of a key in an index; no TOML key has it
// without quotes, and names of services cannot have it.
const separator = "\x00"

// An index knows in which line of a file each key stands first, and the keys in
// the order of the file.
type index struct {
	text  []byte
	lines map[string]int
	keys  [][]string

	offset, line int // of the last node that was looked at
}

// newIndex indexes a text that is known to be TOML. The decoder would lose the
// order, and does not tell lines.
func newIndex(text []byte) *index {
	x := &index{text: text, lines: map[string]int{}, line: 1}
	var p unstable.Parser
	p.Reset(text)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = x.key(nil, e)
		case unstable.KeyValue:
			x.value(x.key(table, e), e.Value())
		}
	}
	return x
}

// value goes into an inline table.
func (x *index) value(key []string, v *unstable.Node) {
	if v.Kind != unstable.InlineTable {
		return
	}
	it := v.Children()
	for it.Next() {
		if n := it.Node(); n.Kind == unstable.KeyValue {
			x.value(x.key(key, n), n.Value())
		}
	}
}

// key notes the key of an expression inside a table, and every table above it.
func (x *index) key(table []string, e *unstable.Node) []string {
	key := append([]string{}, table...)
	it := e.Key()
	for it.Next() {
		n := it.Node()
		if to := int(n.Raw.Offset); n.Raw.Length > 0 && to > x.offset {
			x.line += bytes.Count(x.text[x.offset:to], []byte("\n"))
			x.offset = to
		}
		key = append(key, string(n.Data))
		id := strings.Join(key, separator)
		if _, known := x.lines[id]; !known {
			x.lines[id] = x.line
			x.keys = append(x.keys, slices.Clone(key))
		}
	}
	return key
}

// at returns the line of a key, or of what it is in.
func (x *index) at(key ...string) int {
	for ; len(key) > 0; key = key[:len(key)-1] {
		if line, ok := x.lines[strings.Join(key, separator)]; ok {
			return line
		}
	}
	return 1
}

// below returns the names that stand directly below a key, in the order of the
// file.
func (x *index) below(parent string) []string {
	var names []string
	for _, k := range x.keys {
		if len(k) == 2 && k[0] == parent {
			names = append(names, k[1])
		}
	}
	return names
}
