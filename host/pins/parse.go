package pins

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hatchery-spawn/hatchery/registry"
)

// MaxSize is the size of the largest lock file that is read, in bytes.
const MaxSize = 1 << 20

// A SyntaxError is a line that breaks a rule.
type SyntaxError struct {
	File string // as Parse was given it
	Line int    // counting from 1
	Msg  string // what is wrong, and what would be right
}

// Error returns "FILE:LINE: text".
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// Parse reads a lock file. name is what its errors call it. The error is a
// *SyntaxError; the text is understood as a whole or not at all.
func Parse(name string, text []byte) (*Lock, error) {
	l := new(Lock)
	var above []string // comments that belong to the next fact
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		bad := func(err error) (*Lock, error) { return nil, &SyntaxError{name, i + 1, err.Error()} }
		if err := checkLine(line); err != nil {
			return bad(err)
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			if len(l.facts) == 0 {
				l.header, above = append(l.header, above...), nil
			}
		case line[0] == '#':
			above = append(above, line)
		default:
			f, err := parseFact(line)
			if err != nil {
				return bad(err)
			}
			f.Line = i + 1
			if old, ok := l.Get(f.Key, f.Name); ok && old.Value != f.Value {
				return bad(fmt.Errorf("%s %s stands in line %d already, with another value: keep one of the two", f.Key, f.Name, old.Line))
			} else if !ok {
				l.put(f)
			}
			at := id{f.Key, f.Name}
			l.comments[at], above = append(l.comments[at], above...), nil
		}
	}
	l.trailer = above
	return l, nil
}

// checkLine refuses what no line may hold, in a comment neither.
func checkLine(line string) error {
	for _, mark := range []string{"<<<<<<<", "|||||||", "=======", ">>>>>>>"} {
		if strings.HasPrefix(line, mark) {
			return fmt.Errorf("a merge conflict (%s): keep the lines of one side, or of both where they differ in key or platform, and remove the marker", mark)
		}
	}
	line = strings.TrimSuffix(line, "\r") // as some editors leave it
	if !utf8.ValidString(line) {
		return errors.New("not UTF-8: want text")
	}
	for _, r := range line {
		if r != '\t' && !strconv.IsPrint(r) {
			return fmt.Errorf("it has the character %U, which does not print: want text", r)
		}
	}
	return nil
}

// parseFact reads a line that is no comment.
func parseFact(line string) (Fact, error) {
	word, rest := cut(line)
	key, err := registry.ParseKey(word)
	if err != nil {
		return Fact{}, err
	}
	f := Fact{Key: key}
	f.Name, f.Value = cut(rest)
	switch {
	case isPlatform(f.Name):
		_, err = registry.ParsePin(f.Value)
	case f.Name == Status:
		err = checkStatus(f.Value)
	case !isText(f.Name):
		err = fmt.Errorf("%q says nothing that is known about %s: want a platform like linux/amd64, %s or %s", f.Name, key, Any, strings.Join(texts(), ", "))
	case f.Value == "":
		err = fmt.Errorf("%s %s says nothing: want a text behind it, or no line", key, f.Name)
	}
	return f, err
}

// cut splits off the first word.
func cut(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

func checkStatus(s string) error {
	switch registry.Status(s) {
	case registry.Stable, registry.Experimental, registry.Blocked:
		return nil
	}
	return fmt.Errorf("status %q: want %s, %s or %s", s, registry.Stable, registry.Experimental, registry.Blocked)
}

func isText(name string) bool {
	for _, t := range texts() {
		if t == name {
			return true
		}
	}
	return false
}

// isPlatform reports whether a fact is a pin.
func isPlatform(name string) bool {
	goos, goarch, ok := strings.Cut(name, "/")
	word := func(s string) bool { return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" }
	return name == Any || ok && word(goos) && word(goarch)
}

// oneLine makes a text one that fits into a line.
func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || r == '\r':
			return -1
		case !strconv.IsPrint(r):
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
