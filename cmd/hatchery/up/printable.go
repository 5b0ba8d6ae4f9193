package up

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// printable returns text without what a terminal would obey, but for colors.
func printable(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if n := color(text); n > 0 {
			out, text = append(out, text[:n]...), text[n:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		if r != '\t' && !strconv.IsPrint(r) {
			r = utf8.RuneError
		}
		out, text = utf8.AppendRune(out, r), text[n:]
	}
	return out
}

// color returns how many bytes at the beginning of text do nothing but choose colors
// and the like: CSI numbers m, as in console_codes(4).
func color(text []byte) int {
	const begin = "\x1b["
	if !bytes.HasPrefix(text, []byte(begin)) {
		return 0
	}
	for i, c := range text[len(begin):] {
		switch {
		case c == 'm':
			return len(begin) + i + 1
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// wholeCharacters returns text without a character of UTF-8 that is cut off at its end,
// and the beginning of that.
func wholeCharacters(text []byte) (whole, rest []byte) {
	for i := len(text) - 1; i >= 0 && i > len(text)-utf8.UTFMax; i-- {
		if !utf8.RuneStart(text[i]) {
			continue
		}
		if !utf8.FullRune(text[i:]) {
			return text[:i], bytes.Clone(text[i:])
		}
		break
	}
	return text, nil
}
