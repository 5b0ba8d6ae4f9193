package endpoints

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/pelletier/go-toml/v2/unstable"
)

// walk collects the table [network] in the order of the text, which is known to be
// TOML. The decoder would lose the order, and does not tell lines.
func walk(text []byte) (*Table, error) {
	w := walker{table: &Table{Actors: []Actor{}}, text: text, line: 1}
	w.parser.Reset(text)
	table := "" // the first part of the name of the table that is being read
	for w.parser.NextExpression() {
		e := w.parser.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			key, line := w.key(e)
			table = key[0]
			if table == tableName && (len(key) > 1 || e.Kind == unstable.ArrayTable) {
				return nil, fmt.Errorf("line %d: the table [%s] cannot be here: want [network], and in it %s", line, strings.Join(key, "."), example)
			}
		case unstable.KeyValue:
			key, line := w.key(e)
			if table == "" && key[0] == tableName {
				return nil, fmt.Errorf("line %d: network is no table of its own: want [network], and then lines like: %s", line, example)
			}
			if table != tableName {
				continue
			}
			if err := w.actor(key, line, e.Value()); err != nil {
				return nil, fmt.Errorf("line %d: actor %q: %w", w.line, clip(strings.Join(key, ".")), err)
			}
		}
	}
	if err := w.parser.Error(); err != nil {
		return nil, located(err)
	}
	return w.table, nil
}

// A walker goes through the expressions of a file.
type walker struct {
	parser unstable.Parser
	table  *Table

	text   []byte
	offset int // of the last node that was looked at and is not an array
	line   int // of that node
}

func (w *walker) key(e *unstable.Node) (key []string, line int) {
	it := e.Key()
	for it.Next() {
		w.see(it.Node())
		key = append(key, string(it.Node().Data))
		if line == 0 {
			line = w.line
		}
	}
	return key, line
}

// see notes the line of a node. Arrays have none. Nodes are looked at in their order:
// the parser's own Shape would count from the beginning for each.
func (w *walker) see(n *unstable.Node) {
	if n.Raw.Length == 0 {
		return
	}
	if to := int(n.Raw.Offset); to > w.offset {
		w.line += bytes.Count(w.text[w.offset:to], []byte("\n"))
		w.offset = to
	}
}

// actor adds an actor to the table.
func (w *walker) actor(key []string, line int, value *unstable.Node) error {
	w.line = line
	switch {
	case len(key) > 1:
		return fmt.Errorf("a key with a dot is a table in TOML: want a name in quotes, %q = [...]", clip(strings.Join(key, ".")))
	case key[0] == "":
		return fmt.Errorf("the name is empty")
	case value.Kind != unstable.Array:
		return fmt.Errorf("the value is %s: want a list of addresses, as in %s", describe(value), example)
	}
	a := Actor{Name: key[0], Addrs: []address.Addr{}, Line: line}
	it := value.Children()
	for it.Next() {
		if it.Node().Kind == unstable.Comment {
			continue
		}
		addr, err := w.entry(it.Node())
		if err != nil {
			return fmt.Errorf("entry %d: %w", len(a.Addrs)+1, err)
		}
		a.Addrs = append(a.Addrs, addr)
	}
	w.table.Actors = append(w.table.Actors, a)
	return nil
}

// entry returns the address that an entry is.
func (w *walker) entry(n *unstable.Node) (address.Addr, error) {
	w.see(n)
	var addr address.Addr
	var err error
	switch n.Kind {
	case unstable.String:
		addr, err = address.Parse(string(n.Data))
	case unstable.Array:
		addr, err = w.pair(n)
	default:
		return addr, fmt.Errorf(`it is %s: want a multiaddr in quotes, or ["ADDRESS", PORT]`, describe(n))
	}
	if err == nil {
		err = addr.Reachable()
	}
	return addr, err
}

// pair returns the address that ["host", port] is.
func (w *walker) pair(n *unstable.Node) (address.Addr, error) {
	var parts []*unstable.Node
	it := n.Children()
	for it.Next() {
		if it.Node().Kind != unstable.Comment {
			w.see(it.Node())
			parts = append(parts, it.Node())
		}
	}
	if len(parts) != 2 || parts[0].Kind != unstable.String || parts[1].Kind != unstable.Integer {
		return address.Addr{}, fmt.Errorf(`it is a list of %d: want ["ADDRESS", PORT], a string and a number`, len(parts))
	}
	port, err := strconv.ParseInt(string(parts[1].Data), 0, 64)
	if err != nil {
		return address.Addr{}, fmt.Errorf("no port %s: want a number from 1 to 65535", clip(string(parts[1].Data)))
	}
	return address.Pair(string(parts[0].Data), port)
}

// describe says what a value is, with its text if it has one.
func describe(n *unstable.Node) string {
	kind := strings.ToLower(n.Kind.String())
	if n.Kind == unstable.InlineTable || n.Kind == unstable.Array || len(n.Data) == 0 {
		return "of the kind " + kind
	}
	return fmt.Sprintf("%q, of the kind %s", clip(string(n.Data)), kind)
}

func clip(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return s
}
