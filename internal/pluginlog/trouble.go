package pluginlog

import (
	"bytes"
	"strings"
)

// A trouble is what is known of a crash from the lines before.
type trouble struct {
	stack     bool // a Go program's: it ends with it
	traceback bool // a Python program's: it may go on behind it
}

// crashes reports whether a line belongs to what a program says when it crashes.
func (t *trouble) crashes(line []byte) bool {
	begins := func(words ...string) bool {
		for _, w := range words {
			if strings.HasPrefix(string(line[:min(len(line), len(w))]), w) {
				return true
			}
		}
		return false
	}
	switch {
	case t.stack || begins("panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGQUIT: "):
		t.stack = true
		return true
	case begins("Traceback (most recent call last):"):
		t.traceback = true
		return true
	case t.traceback: // its last line, the exception, is not indented
		t.traceback = bytes.HasPrefix(line, []byte(" "))
		return true
	}
	return false
}
