//go:build unix

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestExitCodesAreTheChilds(t *testing.T) {
	for _, code := range []int{0, 1, 2, 7, 119, 120, 124, 125, 126, 127, 128, 137, 143, 254, 255} {
		_, stderr, got := result(t, hatchery(t, "run", "--", "sh", "-c", fmt.Sprint("exit ", code)))
		if got != code || stderr != "" {
			t.Errorf("exit %d: code %d, stderr %q", code, got, stderr)
		}
	}
}

func TestExitBySignal(t *testing.T) {
	for _, sig := range []int{1, 2, 3, 6, 9, 10, 11, 13, 14, 15, 31, 34, 64} {
		_, stderr, got := result(t, hatchery(t, "run", "--", "sh", "-c", fmt.Sprintf("ulimit -c 0; kill -%d $$", sig)))
		if got != 128+sig || stderr != "" {
			t.Errorf("signal %d: code %d, stderr %q", sig, got, stderr)
		}
	}
}

// What a shell can hand over arrives as it was, byte for byte.
func TestArgumentsAndEnvironmentAreBytes(t *testing.T) {
	args := []string{"", " ", "\xff\xfe\x80", "a\nb", "=", "--", "-x", "ü", "'\"$x`"}
	cmd := hatchery(t, append([]string{"run", "--", "sh", "-c", `printf '%s\0' "$@"`, "sh"}, args...)...)
	out, stderr, code := result(t, cmd)
	if want := strings.Join(args, "\x00") + "\x00"; out != want || code != 0 {
		t.Errorf("arguments: %q, want %q; code %d, %s", out, want, code, stderr)
	}

	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "E=", "EQ==a=b", "BYTES=\xff\x80", "LINES=a\nb", "noequals", "=odd"}
	cmd = hatchery(t, "run", "--", "cat", "/proc/self/environ")
	cmd.Env = env
	out, stderr, code = result(t, cmd)
	if want := strings.Join(env, "\x00") + "\x00"; out != want || code != 0 {
		t.Errorf("environment: %q, want %q; code %d, %s", out, want, code, stderr)
	}
}

func TestStdinIsTheChildsAlone(t *testing.T) {
	var input strings.Builder
	for i := range 20000 {
		input.WriteString(strconv.Itoa(i) + "\n")
	}
	// What the children leave is there for the next one.
	path, script := hatchery(t).Path, `$H run -- head -c 10 >/dev/null; $H run -- true; $H run -- cat`
	cmd := hatchery(t)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", script}
	cmd.Env = append(cmd.Env, "H="+path)
	cmd.Stdin = strings.NewReader(input.String())
	out, stderr, _ := result(t, cmd)
	// head reads from the pipe what it was asked for, or a block.
	if !strings.HasSuffix(input.String(), out) || len(out) == 0 {
		t.Errorf("%d bytes are left: %s", len(out), stderr)
	}
}
