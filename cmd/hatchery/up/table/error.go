package table

import (
	"fmt"
	"slices"
	"strings"
)

// An Error is everything that is wrong with a table.
type Error struct {
	Path     string
	Problems []Problem // by line; at least one
}

// A Problem is one thing that is wrong. Service and Field are empty when it is about
// none.
type Problem struct {
	Line           int
	Service, Field string
	Msg            string // what is wrong, and what would be right
}

// Error returns a line for each problem.
func (e *Error) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines returns the problems, each as a line that begins with FILE:LINE.
func (e *Error) Lines() []string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("service table %s:%d: %s", e.Path, p.Line, p))
	}
	return lines
}

// String returns the problem without its place.
func (p Problem) String() string {
	s := p.Msg
	if p.Field != "" {
		s = p.Field + ": " + s
	}
	if p.Service != "" {
		s = fmt.Sprintf("service %q: %s", p.Service, s)
	}
	return s
}

// problems collects what is wrong.
type problems []Problem

func (all *problems) add(line int, service, field, format string, args ...any) {
	*all = append(*all, Problem{line, service, field, fmt.Sprintf(format, args...)})
}

// err returns the error, or nil when nothing is wrong.
func (all problems) err(path string) error {
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return a.Line - b.Line })
	return &Error{path, all}
}
