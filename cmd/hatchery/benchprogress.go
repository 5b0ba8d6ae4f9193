package main

import (
	"fmt"
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/bench"
	"golang.org/x/term"
)

// A progress is a line on a terminal that says how far it is. Where there is no
// terminal it shows nothing.
//
// A package for this (mpb) was tried: its initialisers, and those of what it
// imports, take 0.2 ms in every process of the command, the keeper included.
type progress struct {
	out   *os.File // nil: nobody looks
	began time.Time
	last  time.Time
}

// progressPause is the time between two pictures: drawing wants processor time,
// which is what is being measured.
const progressPause = 250 * time.Millisecond

func newProgress(out *os.File) *progress {
	p := &progress{began: time.Now()}
	if term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb" {
		p.out = out
	}
	return p
}

// show draws the line anew.
func (p *progress) show(done float64, next string) {
	now := time.Now()
	if p.out == nil || now.Sub(p.last) < progressPause {
		return
	}
	p.last = now
	left := ""
	if took := now.Sub(p.began); done > 0.02 {
		left = fmt.Sprintf(", %.0f s left", took.Seconds()/done*(1-done))
	}
	line := fmt.Sprintf("%s %3.0f%%%s: %s", bench.ProgressBar(done, 24), 100*done, left, oneLine(next))
	if width, _, err := term.GetSize(int(p.out.Fd())); err == nil && width > 0 {
		line = string([]rune(line)[:min(len([]rune(line)), width-1)])
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
}

// clear takes the line away.
func (p *progress) clear() {
	if p.out != nil && !p.last.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
