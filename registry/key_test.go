package registry

import (
	"strings"
	"testing"
)

func TestParseKeyAcceptsTheGrammar(t *testing.T) {
	for _, s := range []string{"a", "forkexec", "go_fork", "x9", "a_", strings.Repeat("k", 32)} {
		k, err := ParseKey(s)
		if err != nil || string(k) != s {
			t.Errorf("ParseKey(%q) = %q, %v", s, k, err)
		}
	}
}

func TestParseKeySaysWhichRuleIsBroken(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", "is empty: want [a-z][a-z0-9_]{0,31}, like forkexec"},
		{"ForkExec", `"ForkExec" does not start with a lower case letter`},
		{"9lives", `"9lives" does not start with a lower case letter`},
		{"_x", `"_x" does not start with a lower case letter`},
		{"fork-exec", `"fork-exec" has '-' at offset 4`},
		{"forkExec", `"forkExec" has 'E' at offset 4`},
		{"fork exec", `has ' ' at offset 4`},
		{"forkexec\n", `has '\n' at offset 8`},
		{"größe", `has 'ö' at offset 2`},
		{"a\xff", `has '�' at offset 1`},
		{"a\x00", `has '\x00' at offset 1`},
		{"a/../b", `has '/' at offset 1`},
		{strings.Repeat("k", 33), "is 33 bytes long: want at most 32"},
		{strings.Repeat("k", 1<<20), "is 1048576 bytes long"},
	}
	for _, tt := range tests {
		k, err := ParseKey(tt.in)
		if err == nil {
			t.Errorf("ParseKey(%.40q) = %q, want an error", tt.in, k)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseKey(%.40q): %q does not say %q", tt.in, err, tt.want)
		}
		if len(err.Error()) > 200 {
			t.Errorf("ParseKey(%.40q): the message has %d bytes", tt.in, len(err.Error()))
		}
	}
}

func TestDefaultKeyIsAKey(t *testing.T) {
	if _, err := ParseKey(string(DefaultKey)); err != nil {
		t.Error(err)
	}
}
