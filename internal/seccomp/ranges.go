package seccomp

import "slices"

// A clause is a rule as one number sees it. The last of a number's clauses has
// no conditions.
type clause struct {
	when   []Condition
	action Action
}

func (c clause) same(as clause) bool { return c.action == as.action && slices.Equal(c.when, as.when) }

// A span is a range of numbers that are treated alike. It ends where the next
// one begins, the last at the largest number.
type span struct {
	first   uint32
	clauses []clause
	but     []span // single numbers in it that are treated otherwise
}

// mostBut bounds what is asked one by one.
const mostBut = 4

// gather makes one span of those that only single numbers divide: to tell such a
// number from those on both sides of it takes two comparisons of its order, and one
// of its value.
func gather(all []span) []span {
	out := all[:1]
	for i := 1; i < len(all); i++ {
		last := &out[len(out)-1]
		if i+1 < len(all) && all[i].first+1 == all[i+1].first && len(last.but) < mostBut &&
			slices.EqualFunc(last.clauses, all[i+1].clauses, clause.same) {
			last.but = append(last.but, all[i])
			i++
			continue
		}
		out = append(out, all[i])
	}
	return out
}

// spans divides all numbers there are. The filter has been checked.
func (f Filter) spans(on Arch) []span {
	unknown := f.Unknown
	if unknown == 0 {
		unknown = f.Default
	}
	otherwise := []clause{{action: unknown}}
	var all []span
	add := func(first uint32, c []clause) {
		if len(all) == 0 || !slices.EqualFunc(all[len(all)-1].clauses, c, clause.same) {
			all = append(all, span{first: first, clauses: c})
		}
	}
	byNumber := f.clauses(on)
	for n, c := range byNumber {
		if c == nil {
			c = otherwise
		}
		add(uint32(n), c)
	}
	add(uint32(len(byNumber)), otherwise)
	if on == AMD64 {
		add(x32, []clause{{action: Errno(enosys)}})
	}
	return all
}

// clauses returns what the rules say of each number, nil of those that are no
// call.
func (f Filter) clauses(on Arch) [][]clause {
	all := make([][]clause, numbered)
	for _, r := range f.Rules {
		one := []clause{{r.If, r.Action}}
		for _, name := range r.Names {
			n, ok := Number(name, on)
			switch {
			case !ok || decided(all[n]):
			case all[n] == nil:
				all[n] = one
			default:
				all[n] = append(all[n], one[0])
			}
		}
	}
	byDefault := []clause{{action: f.Default}}
	for _, numbers := range syscalls() {
		switch n := numbers[on.column()]; {
		case n == absent:
		case all[n] == nil:
			all[n] = byDefault
		case !decided(all[n]):
			all[n] = short(append(all[n], byDefault[0]))
		default:
			all[n] = short(all[n])
		}
	}
	return all
}

// decided reports whether nothing behind the clauses is asked any more.
func decided(c []clause) bool { return len(c) > 0 && len(c[len(c)-1].when) == 0 }

// short leaves out clauses that end as the last one does.
func short(c []clause) []clause {
	last := len(c) - 1
	keep := last
	for keep > 0 && c[keep-1].action == c[last].action {
		keep--
	}
	if keep == last {
		return c
	}
	return append(c[:keep], c[last])
}
