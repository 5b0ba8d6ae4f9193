//go:build linux

package escapesuite

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// BenchmarkBwrap compares sandboxes like with like: bubblewrap, isolate without those
// of its mounts that bubblewrap does not make (the private folders, and what hides parts of
// /proc and /sys; it has its filter and its Landlock rule all the same), and isolate as it
// is. They have their turns of 100 ms, one of each in a round:
//
//	go test ./internal/escapesuite -run '^$' -bench Bwrap -benchtime 40x
//
// x-time is a way's median time over that of bubblewrap, x-rate its children in a
// second over those of bubblewrap, each the median of the rounds.
func BenchmarkBwrap(b *testing.B) {
	path, err := exec.LookPath("bwrap")
	if err != nil {
		b.Skip("bubblewrap is not installed: ", err)
	}
	h := openHost(b)
	program := filepath.Join(b.TempDir(), "tiny")
	if err := tinyelf.Write(program, tinyelf.Exit(0)); err != nil {
		b.Skip(err)
	}
	ways := []sandboxing{
		{"bwrap", func() error {
			c := exec.Command(path, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", program)
			c.Env = []string{}
			return c.Run()
		}},
		{"same", func() error {
			return sandboxed(b, h, program, weakKey, spawn.Option{Key: without, Value: "private,hidden"})
		}},
		{"isolate", func() error {
			return sandboxed(b, h, program, "isolate", spawn.Option{Key: "bind", Value: filepath.Dir(program)})
		}},
	}
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) { compare(b, ways, callers) })
	}
}

// A sandboxing is one way to run a program in a sandbox.
type sandboxing struct {
	name string
	run  func() error
}

// sandboxed runs a program by a method.
func sandboxed(b *testing.B, h *host.Host, program, key string, option spawn.Option) error {
	p, err := h.StartMethod(b.Context(), key, spawn.Spec{Path: program, Args: []string{program}, Env: []string{}, Dir: "/", Options: []spawn.Option{option}})
	if err != nil {
		return err
	}
	status, err := p.Wait()
	if err == nil && !status.Success() {
		err = fmt.Errorf("%v", status)
	}
	return err
}

// compare has b.N rounds of all ways, and reports them in proportion to the first.
func compare(b *testing.B, ways []sandboxing, callers int) {
	times, rates := map[string][]float64{}, map[string][]float64{}
	for _, w := range ways { // the first one starts plugins
		if err := w.run(); err != nil {
			b.Fatal(w.name, ": ", err)
		}
	}
	for round := 0; b.Loop(); round++ {
		of := map[string]turn{}
		for i := range ways {
			w := ways[(i+round)%len(ways)]
			t, err := takeTurn(w, callers)
			if err != nil {
				b.Fatal(w.name, ": ", err)
			}
			of[w.name] = t
		}
		first := of[ways[0].name]
		for name, t := range of {
			times[name] = append(times[name], t.median/first.median)
			rates[name] = append(rates[name], t.rate/first.rate)
		}
	}
	for _, w := range ways[1:] {
		b.ReportMetric(middle(times[w.name]), w.name+"-x-time")
		b.ReportMetric(middle(rates[w.name]), w.name+"-x-rate")
	}
}

// A turn is what was measured in one: the median of the times, and children in a second.
type turn struct{ median, rate float64 }

const turnTime = 100 * time.Millisecond

// takeTurn has so many callers run children one after the other.
func takeTurn(w sandboxing, callers int) (turn, error) {
	var (
		mu    sync.Mutex
		all   []float64
		first error
		group sync.WaitGroup
	)
	begin := time.Now()
	for range callers {
		group.Go(func() {
			for time.Since(begin) < turnTime {
				at := time.Now()
				err := w.run()
				took := time.Since(at)
				mu.Lock()
				all = append(all, took.Seconds())
				if first == nil {
					first = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return turn{middle(all), float64(len(all)) / time.Since(begin).Seconds()}, first
}

// middle returns the median.
func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
