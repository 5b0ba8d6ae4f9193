package table

import (
	"fmt"
	"slices"
	"strings"
)

// checkDependencies refuses dependencies on what is not there, and circles.
func (r *reader) checkDependencies() {
	t := r.table
	for _, s := range t.Services {
		for i, name := range s.After {
			switch _, ok := t.Lookup(name); {
			case name == s.Name:
				r.badAfter(s, "entry %d is the service itself: want others", i+1)
			case !ok:
				r.badAfter(s, "entry %d: there is no service %q: want %s", i+1, name, others(t, s.Name))
			case slices.Contains(s.After[:i], name):
				r.badAfter(s, "entry %d: %q is there twice", i+1, name)
			}
		}
	}
	if len(r.problems) > 0 {
		return
	}
	state := map[string]int{} // 1: being looked at; 2: in no circle
	for _, s := range t.Services {
		if circle := t.circle(s.Name, state, nil); circle != nil {
			first, _ := t.Lookup(circle[0])
			r.badAfter(first, "it goes round in a circle (%s): want one of them without the next", strings.Join(circle, " after "))
			return
		}
	}
}

func (r *reader) badAfter(s Service, format string, args ...any) {
	r.add(r.at("service", s.Name, "after"), s.Name, "after", format, args...)
}

// others lists the services but for one.
func others(t *Table, but string) string {
	var names []string
	for _, s := range t.Services {
		if s.Name != but {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return "none, there is no other"
	}
	return fmt.Sprintf("one of %s", strings.Join(names, ", "))
}

// circle returns the names of a circle of dependencies that is reached from name,
// the first at the end again.
func (t *Table) circle(name string, state map[string]int, path []string) []string {
	path = append(path, name)
	switch state[name] {
	case 1:
		return path[slices.Index(path, name):]
	case 2:
		return nil
	}
	state[name] = 1
	s, _ := t.Lookup(name)
	for _, next := range s.After {
		if c := t.circle(next, state, path); c != nil {
			return c
		}
	}
	state[name] = 2
	return nil
}
