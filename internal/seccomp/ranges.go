package seccomp

import (
	"encoding/binary"
	"maps"
	"slices"
)

// A clause is a rule as one number sees it. The last of a number's clauses has
// no conditions.
type clause struct {
	when   []Condition
	action Action
}

// A span is a range of numbers that are treated alike. It ends where the next
// one begins, the last at the largest number.
type span struct {
	first   uint32
	clauses []clause
}

// spans divides all numbers there are. The filter has been checked.
func (f Filter) spans(on Arch) []span {
	unknown := f.Unknown
	if unknown == 0 {
		unknown = f.Default
	}
	byNumber := f.clauses(on)
	var all []span
	var last string
	add := func(first uint32, c []clause) {
		if k := key(c); len(all) == 0 || k != last {
			all, last = append(all, span{first, c}), k
		}
	}
	next := uint32(0)
	for _, n := range slices.Sorted(maps.Keys(byNumber)) {
		if next < n {
			add(next, []clause{{action: unknown}})
		}
		add(n, byNumber[n])
		next = n + 1
	}
	add(next, []clause{{action: unknown}})
	if on == AMD64 {
		add(x32, []clause{{action: Errno(enosys)}})
	}
	return all
}

// clauses returns what the rules say of each number that is a call.
func (f Filter) clauses(on Arch) map[uint32][]clause {
	all := make(map[uint32][]clause, 400)
	closed := make(map[uint32]bool, 400) // a rule without conditions has decided
	for _, r := range f.Rules {
		for _, name := range r.Names {
			n, ok := Number(name, on)
			if !ok || closed[uint32(n)] {
				continue
			}
			all[uint32(n)] = append(all[uint32(n)], clause{r.If, r.Action})
			closed[uint32(n)] = len(r.If) == 0
		}
	}
	for _, numbers := range syscalls() {
		n := numbers[on.column()]
		if n == absent {
			continue
		}
		c := all[uint32(n)]
		if !closed[uint32(n)] {
			c = append(c, clause{action: f.Default})
		}
		all[uint32(n)] = short(c)
	}
	return all
}

// short leaves out clauses that end as the last one does.
func short(c []clause) []clause {
	last := c[len(c)-1]
	for len(c) > 1 && c[len(c)-2].action == last.action {
		c = c[:len(c)-1]
	}
	return append(c[:len(c)-1:len(c)-1], clause{action: last.action})
}

// key returns a string that is the same for clauses that are.
func key(all []clause) string {
	var b []byte
	for _, c := range all {
		b = binary.LittleEndian.AppendUint32(b, uint32(c.action))
		b = append(b, byte(len(c.when)))
		for _, w := range c.when {
			b = append(b, byte(w.Arg), byte(w.Op))
			b = binary.LittleEndian.AppendUint64(b, w.Value)
			b = binary.LittleEndian.AppendUint64(b, w.Mask)
		}
	}
	return string(b)
}
