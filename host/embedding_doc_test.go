//go:build linux

package host_test

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// TestEmbeddingNamesAllOfExec looks for every exported name of os/exec and of
// what it hands out in the tables for those who come from there.
func TestEmbeddingNamesAllOfExec(t *testing.T) {
	b, err := os.ReadFile("../docs/embedding.md")
	must(t, err)
	_, text, _ := strings.Cut(string(b), "## os/exec and here")
	text, _, _ = strings.Cut(text, "\n## ")
	names := []string{"Command", "CommandContext", "LookPath", "Error", "ExitError", "ErrDot", "ErrNotFound", "ErrWaitDelay"}
	for _, v := range []any{exec.Cmd{}, syscall.SysProcAttr{}, os.Process{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			if f := typ.Field(i); f.IsExported() {
				names = append(names, f.Name)
			}
		}
	}
	for _, v := range []any{&exec.Cmd{}, &os.Process{}, &os.ProcessState{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumMethod() {
			names = append(names, typ.Method(i).Name)
		}
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") && !strings.Contains(text, "`"+name+"(") {
			t.Errorf("docs/embedding.md has nothing of %s", name)
		}
	}
}
