package host

import (
	"bytes"
	"strings"
	"unicode"
)

// shownSize is how much of a plugin's output is put into the text of an error,
// in bytes.
const shownSize = 2 << 10

// excerpt returns the part of a plugin's last output that says most: the
// beginning of the last crash of a Go program, which stacks of any length
// follow, or else the end.
func excerpt(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) <= shownSize {
		return printable(b)
	}
	if at := lastCrash(b); at >= 0 {
		b = b[at:]
		if len(b) > shownSize {
			return printable(b[:shownSize]) + "…"
		}
		return printable(b)
	}
	b = b[len(b)-shownSize:]
	if i := bytes.IndexByte(b, '\n'); i >= 0 && i < len(b)/2 {
		b = b[i+1:] // whole lines, unless they are long
	}
	return "…" + printable(b)
}

// lastCrash returns where the last crash begins, or -1. The runtime does not
// begin a new line for it; in the middle of one, stacks have to follow.
func lastCrash(b []byte) int {
	at := -1
	for _, begin := range []string{"panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGQUIT: "} {
		i := bytes.LastIndex(b, []byte("\n"+begin)) + 1
		switch {
		case i > 0 || bytes.HasPrefix(b, []byte(begin)):
			at = max(at, i)
		default:
			i = bytes.LastIndex(b, []byte(begin))
			if i >= 0 && bytes.Contains(b[i:], []byte("\n\ngoroutine ")) {
				at = max(at, i)
			}
		}
	}
	return at
}

// printable returns b as text that a terminal shows and does not obey.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(string(b), "\ufffd"))
}
