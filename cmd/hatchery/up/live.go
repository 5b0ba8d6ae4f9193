package up

import (
	"os"

	"golang.org/x/term"
)

// A live status is the last line of a terminal. A nil one is none.
type live struct {
	to   *os.File
	text string
	down bool // text is on the terminal
}

// newLive returns the live status of a terminal, or nil when the output or the
// notes go anywhere else.
func newLive(stdout, stderr *os.File) *live {
	if !term.IsTerminal(int(stdout.Fd())) || !term.IsTerminal(int(stderr.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &live{to: stderr}
}

// clear takes the status away, so that a line can be written.
func (l *live) clear() {
	if l != nil && l.down {
		l.to.WriteString("\r\x1b[K")
		l.down = false
	}
}

// show shows another status.
func (l *live) show(text string) {
	if l == nil {
		return
	}
	l.clear()
	l.text = text
	l.again()
}

// again shows the status that was cleared, as much as there is room for.
func (l *live) again() {
	if l == nil || l.down || l.text == "" {
		return
	}
	width, _, err := term.GetSize(int(l.to.Fd()))
	switch {
	case err != nil:
		return
	case width < 2: // it does not know
		width = 80
	}
	text := []rune(l.text)
	if len(text) >= width {
		text = append(text[:width-2], '…')
	}
	l.to.WriteString("\x1b[7m" + string(text) + "\x1b[0m")
	l.down = true
}

// hungUp reports whether the terminal is gone.
func (l *live) hungUp() bool {
	if l == nil {
		return false
	}
	_, _, err := term.GetSize(int(l.to.Fd()))
	return err != nil
}
