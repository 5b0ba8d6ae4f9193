//go:build linux

package forkzygote

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	os.Exit(m.Run())
}

// A child that was made by fork does what one does that was started.
func TestZygote(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("there is no C compiler here: ", err)
	}
	program := filepath.Join(t.TempDir(), "zygote")
	if out, err := exec.Command(cc, "-O2", "-Wall", "-Werror", "-o", program, filepath.Join("program", "zygote.c")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h, err := host.Open(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, n := range []int{0, 7, 999} {
		var want, got bytes.Buffer
		plain := exec.Command(program, strconv.Itoa(n))
		plain.Stdout = &want
		plain.Run()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p, err := h.StartMethod(t.Context(), forkserver.Key, spawn.Spec{
			Path: program, Args: []string{program, strconv.Itoa(n)}, Files: []*os.File{nil, w},
			Options: forkserver.Options{Kind: spawn.ForkTemplate, Require: true}.List(),
		})
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		got.ReadFrom(r)
		r.Close()
		status, err := p.Wait()
		if got.String() != want.String() || status.Code != plain.ProcessState.ExitCode() || !p.Warm() {
			t.Errorf("%d: %q, %v, warm %v: want %q, exit %d", n, got.String(), err, p.Warm(), want.String(), plain.ProcessState.ExitCode())
		}
	}
}
