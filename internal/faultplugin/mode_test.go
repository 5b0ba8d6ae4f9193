//go:build unix

package faultplugin_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/faultplugin"
	"github.com/hatchery-spawn/hatchery/registry"
)

func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "spawn-backend-") {
		os.Exit(faultplugin.Main(os.Args[0]))
	}
	os.Exit(m.Run())
}

// TestTable: the ways that must be in the table, whatever else is, and what
// the table says of each.
func TestTable(t *testing.T) {
	var names []string
	for _, m := range faultplugin.Modes() {
		names = append(names, m.Name)
		if m.Explain == "" || strings.HasSuffix(m.Explain, ".") {
			t.Errorf("mode %q: explanation %q", m.Name, m.Explain)
		}
		switch m.Stage {
		case faultplugin.Works, faultplugin.AtExit:
			if m.Kind != nil {
				t.Errorf("mode %q: an error of a spawn that works", m.Name)
			}
		case faultplugin.AtStart, faultplugin.AtSpawn:
			if m.Kind == nil {
				t.Errorf("mode %q: an error of no kind", m.Name)
			}
		default:
			t.Errorf("mode %q: stage %q", m.Name, m.Stage)
		}
	}
	if _, err := registry.New(faultplugin.Entries()...); err != nil {
		t.Error(err)
	}
	for _, want := range strings.Fields(`ok hang stdout_line stdout_lines stdout_mebibyte handshake_blank handshake_huge exit panic panic_daemon
		handshake_core_newer handshake_api_newer handshake_api_older foreign shutdown_hang stubborn stop stop_later descendant
		flood flood_later plan_step plan_descriptor lane_oversize lane_garbage lane_counts plan_hang lane_stranger plan_panic
		spawner_lie planner_lie key_lie`) {
		if !slices.Contains(names, want) {
			t.Errorf("no mode %q", want)
		}
	}
}

// TestByHand: the file name says the mode. One that a person starts at a shell
// ends, and is not mistaken for another.
func TestByHand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, says string
		code       int
	}{
		{"spawn-backend-fault_ok", "started by hand it does nothing", 2},
		{"spawn-backend-fault_exit", "no such moon phase", 7},
		{"spawn-backend-fault_foreign", "This binary is a plugin", 1},
		{"spawn-backend-fault", "the modes are:", 2},
		{"spawn-backend-fault_nothing", "the modes are:", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := (&exec.Cmd{Path: self, Args: []string{"/somewhere/" + test.name}}).CombinedOutput()
			if _, ok := err.(*exec.ExitError); !ok {
				t.Fatal(err)
			}
			if code := err.(*exec.ExitError).ExitCode(); code != test.code || !strings.Contains(string(out), test.says) {
				t.Errorf("code %d: want %d and %q in: %s", code, test.code, test.says, out)
			}
		})
	}
}
