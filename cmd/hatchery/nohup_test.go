//go:build unix

package main

import (
	"strings"
	"testing"
)

// under runs hatchery in a shell that has set traps.
func under(t *testing.T, trap string, args ...string) string {
	t.Helper()
	cmd := hatchery(t)
	path := cmd.Path
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", trap + `; exec "$0" "$@"`, path}, args...)
	out, stderr, code := result(t, cmd)
	if code != 0 {
		t.Fatalf("code %d: %s", code, stderr)
	}
	return out
}

func TestNohup(t *testing.T) {
	for trap, want := range map[string]string{
		":":                          "0000000000000000",
		`trap "" HUP`:                "0000000000000001",
		`trap "" INT QUIT TERM PIPE`: "0000000000000000",
		`trap "" INT HUP USR1 TSTP`:  "0000000000000001",
	} {
		out := under(t, trap, "run", "--", "grep", "-E", "SigIgn|SigBlk", "/proc/self/status")
		if got := strings.Fields(out); len(got) != 4 || got[1] != "0000000000000000" || got[3] != want {
			t.Errorf("%s: %q, want SigIgn %s", trap, out, want)
		}
	}
}
