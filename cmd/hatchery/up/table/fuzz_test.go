package table

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse looks for texts that the parser does not survive, and for tables that it
// should have refused: whatever else is wrong is an error with a line of the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "[service.a]\ncommand = ['true']\n", "[service.a]\nactor = 'a'\nprogram = ['p']\nafter = ['b']\n[service.b]\ncommand = ['b']",
		"[registrar]\nbind = ['/unix/x']\n[service]\na = {command = ['a'], restart = {max = 3, within = '1m'}, env = {A = 'b'}}",
		"service = 1", "[[service.a]]", "[service.a.env]\nA = 1", "[network]\na = []", "service.\"a\\u0000b\".command = ['x']",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, err := parse("t", []byte(text), "/", func(string) error { return nil })
		if err == nil {
			check(t, table)
			return
		}
		var bad *Error
		if !errors.As(err, &bad) || table != nil || len(bad.Problems) == 0 {
			t.Fatalf("%v of type %T, and a table %v", err, err, table)
		}
		for _, p := range bad.Problems {
			if p.Line < 1 || p.Line > strings.Count(text, "\n")+1 || p.Msg == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

func check(t *testing.T, table *Table) {
	if len(table.Services) == 0 {
		t.Error("an empty table")
	}
	for _, s := range table.Services {
		if !goodName(s.Name) || len(s.Program) == 0 || s.Program[0] == "" || s.Dir == "" || s.Restart.Max > 0 && s.Restart.MaxDelay < s.Restart.MinDelay {
			t.Errorf("%+v", s)
		}
		if again, ok := table.Lookup(s.Name); !ok || !again.Equal(s) {
			t.Errorf("%q is %+v and %+v", s.Name, s, again)
		}
	}
}
