package main

import (
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkKeep shows how long it takes until the first line of a Python program that
// imports a lot, and until its end: plain, and handed over by a server that has the
// modules loaded; in turns, so that both have the same machine.
func BenchmarkKeep(b *testing.B) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		b.Skip("needs python3: ", err)
	}
	keepFolder(b)
	python := strings.TrimSpace(string(out))
	const modules = "asyncio,decimal,email,http.client,json,sqlite3,ssl,unittest,xml.dom"
	program := []string{"-c", "import " + modules + "; print(json.dumps({}), flush=True)"}
	first := hatchery(b, append([]string{"run", "--spawn-backend", "forkserver", "--opt", "keep=1m", "--opt", "preload=" + modules, "--", python}, program...)...)
	call := func() *exec.Cmd { // of the same $HOME, so of the same template
		return &exec.Cmd{Path: first.Path, Args: first.Args, Env: first.Env}
	}
	firstLine(b, call()) // which starts the server
	var line, plainLine, all, plainAll []time.Duration
	for b.Loop() {
		l, a := firstLine(b, call())
		line, all = append(line, l), append(all, a)
		l, a = firstLine(b, exec.Command(python, program...))
		plainLine, plainAll = append(plainLine, l), append(plainAll, a)
	}
	middle := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2].Microseconds()) / 1e3
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(line), "keep-line-ms")
	b.ReportMetric(middle(plainLine), "python-line-ms")
	b.ReportMetric(middle(all), "keep-ms")
	b.ReportMetric(middle(plainAll), "python-ms")
}

// firstLine returns how long it takes until a program has written something, and until
// it has ended.
func firstLine(b *testing.B, cmd *exec.Cmd) (line, all time.Duration) {
	b.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
	line = time.Since(begin)
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return line, time.Since(begin)
}
