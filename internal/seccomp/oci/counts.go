package oci

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/capability"
)

// counts reports whether a rule is for this machine: all that includes says
// holds, and nothing of what excludes says.
func (r *reader) counts(e *entry) (bool, error) {
	in, err := r.holds(e.Includes)
	if err != nil {
		return false, fmt.Errorf("%q: includes: %w", e.Names[0], err)
	}
	out, err := r.holds(e.Excludes)
	if err != nil {
		return false, fmt.Errorf("%q: excludes: %w", e.Names[0], err)
	}
	return !slices.Contains(in, false) && !slices.Contains(out, true), nil
}

// holds answers each question of a selection: one for every capability, one for
// the architectures, one for the kernel.
func (r *reader) holds(s selection) ([]bool, error) {
	var all []bool
	for _, name := range s.Caps {
		n, ok := capability.Number(name)
		if !ok {
			return nil, fmt.Errorf("caps: there is no capability %q", name)
		}
		all = append(all, r.machine.Capabilities.Has(n))
	}
	if len(s.Arches) > 0 {
		all = append(all, slices.Contains(s.Arches, string(r.machine.Arch)))
	}
	if s.MinKernel != "" {
		want, ok := version(s.MinKernel)
		if !ok {
			return nil, fmt.Errorf("minKernel %q: want a version as 4.8", s.MinKernel)
		}
		have, known := version(r.machine.Kernel)
		all = append(all, !known || slices.Compare(have, want) >= 0)
	}
	return all, nil
}

// version returns the two numbers that a version of Linux begins with.
func version(s string) (numbers []int, ok bool) {
	major, rest, ok := strings.Cut(s, ".")
	end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || '9' < c })
	if end < 0 {
		end = len(rest)
	}
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(rest[:end])
	return []int{a, b}, ok && errA == nil && errB == nil
}
