//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

func TestPager(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	set := func(value string) func(string) (string, bool) {
		return func(name string) (string, bool) { return value, name == "PAGER" }
	}
	found := func(name string) (string, error) { return "/bin/" + name, nil }
	missing := func(string) (string, error) { return "", exec.ErrNotFound }
	for name, tt := range map[string]struct {
		env  func(string) (string, bool)
		look func(string) (string, error)
		want string
	}{
		"less":              {none, found, "/bin/less -FRX"},
		"nothing":           {none, missing, ""},
		"$PAGER":            {set("more -d"), missing, "sh -c more -d"},
		"$PAGER is empty":   {set(""), found, ""},
		"$PAGER is cat":     {set(" cat"), found, ""},
		"$PAGER goes first": {set("most"), found, "sh -c most"},
	} {
		got := ""
		if cmd := pager(tt.env, tt.look); cmd != nil {
			got = strings.Join(cmd.Args, " ")
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestExplainIsPaged has explain write to a terminal and to a pipe.
func TestExplainIsPaged(t *testing.T) {
	explain := func(pager string) *exec.Cmd {
		cmd := hatchery(t, "explain", "go_fork")
		cmd.Env = append(cmd.Env, "PAGER="+pager)
		return cmd
	}
	const pager = "echo by-the-pager; wc -l"
	if out, _, code := result(t, explain(pager)); code != 0 || strings.Contains(out, "by-the-pager") || !strings.Contains(out, "## Mechanism") {
		t.Errorf("to a pipe: exit code %d, %q", code, out)
	}
	for pager, want := range map[string]string{pager: "by-the-pager", "": "## Mechanism", "no such pager": "no: ", "exit 3": ""} {
		master, slave, _, err := linux.OpenPTY()
		if err != nil {
			t.Fatal(err)
		}
		terminal, theirs := os.NewFile(uintptr(master), "terminal"), os.NewFile(uintptr(slave), "terminal")
		cmd := explain(pager)
		cmd.Stdout, cmd.Stderr = theirs, theirs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		theirs.Close()
		var shown bytes.Buffer
		io.Copy(&shown, terminal) // to the hangup, which is an error
		terminal.Close()
		var ee *exec.ExitError
		if err := cmd.Wait(); errors.As(err, &ee) || !strings.Contains(shown.String(), want) {
			t.Errorf("with PAGER=%q: %v, %q", pager, err, shown.String())
		}
	}
}
