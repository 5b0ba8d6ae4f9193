package seccomp

import "slices"

// Assemble returns the program of a filter for an architecture: the argument of
// [spawn.Seccomp]. Names that the architecture does not have are skipped. Errors
// match spawn.ErrBadOption.
//
// [spawn.Seccomp]: https://pkg.go.dev/github.com/hatchery-spawn/hatchery/spawn#Seccomp
func Assemble(f Filter, on Arch) (string, error) {
	if on.audit() == 0 {
		return "", bad("no table of system calls for %s: there are those of %s and %s", on, AMD64, ARM64)
	}
	if err := f.check(); err != nil {
		return "", err
	}
	c := &code{at: make(map[instruction]label)}
	all := gather(f.spans(on))
	start := c.load(atNumber, c.tree(all, divide(all), 0, len(all)-1))
	start = c.branch(opEq, on.audit(), start, c.ret(KillProcess))
	c.load(atArch, start)
	c.prune()
	if len(c.list) > maxInstructions {
		return "", bad("its program would have %d instructions, the kernel takes %d: fewer conditions are needed", len(c.list), maxInstructions)
	}
	return string(c.bytes()), nil
}

// tree writes the search for the span that the number in A is in.
func (c *code) tree(all []span, d division, from, to int) label {
	if from == to {
		return c.span(all[from])
	}
	k := d[from][to]
	right := c.tree(all, d, k, to)
	left := c.tree(all, d, from, k-1)
	return c.branch(opGe, all[k].first, right, left)
}

// span writes what decides the numbers of a span.
func (c *code) span(s span) label {
	at := c.clauses(s.clauses)
	for _, but := range slices.Backward(s.but) {
		at = c.branch(opEq, but.first, c.clauses(but.clauses), at)
	}
	return at
}

// clauses writes what decides one call. Where a condition does not hold it goes on
// with the first clause that may fit all the same, behind what is known of it to hold.
func (c *code) clauses(all []clause) label {
	from := make([][]label, len(all)) // of each clause the places where it is asked from its condition n on
	for i := len(all) - 1; i >= 0; i-- {
		when := all[i].when
		from[i] = make([]label, len(when)+1)
		from[i][len(when)] = c.ret(all[i].action)
		for n := len(when) - 1; n >= 0; n-- {
			next, known := behindMiss(all, i, n)
			from[i][n] = c.condition(when[n], from[i][n+1], from[next][known])
		}
	}
	return from[0][0]
}

// behindMiss returns the first clause that may fit a call which clause i does not fit,
// for its condition n, and how many of its conditions are known to hold then.
func behindMiss(all []clause, i, n int) (next, known int) {
	holds, fails := all[i].when[:n], all[i].when[n]
	for next = i + 1; ; next++ { // the last one has no conditions
		when := all[next].when
		if slices.Contains(when, fails) || slices.ContainsFunc(when, func(w Condition) bool { return w.excluded(holds) }) {
			continue
		}
		for known < len(when) && slices.Contains(holds, when[known]) {
			known++
		}
		return next, known
	}
}

// excluded reports whether the condition cannot hold where others do: they say
// something else of the same bits.
func (w Condition) excluded(by []Condition) bool {
	return w.Op == MaskedEqual && slices.ContainsFunc(by, func(o Condition) bool {
		return o.Op == MaskedEqual && o.Arg == w.Arg && o.Mask == w.Mask && o.Value != w.Value
	})
}

// condition writes the test of one argument.
func (c *code) condition(w Condition, yes, no label) label {
	switch w.Op {
	case Equal:
		return c.masked(w.Arg, 1<<64-1, w.Value, yes, no)
	case NotEqual:
		return c.masked(w.Arg, 1<<64-1, w.Value, no, yes)
	case MaskedEqual:
		return c.masked(w.Arg, w.Mask, w.Value, yes, no)
	case Greater:
		return c.above(opGt, w.Arg, w.Value, yes, no)
	case GreaterOrEqual:
		return c.above(opGe, w.Arg, w.Value, yes, no)
	case Less:
		return c.above(opGe, w.Arg, w.Value, no, yes)
	}
	return c.above(opGt, w.Arg, w.Value, no, yes) // LessOrEqual
}

// masked tests the bits of both words, and looks at neither without need.
func (c *code) masked(arg int, mask, value uint64, yes, no label) label {
	yes = c.word(atLow(arg), uint32(mask), uint32(value), yes, no)
	return c.word(atHigh(arg), uint32(mask>>32), uint32(value>>32), yes, no)
}

func (c *code) word(at, mask, value uint32, yes, no label) label {
	switch {
	case mask == 0:
		return yes
	case mask == 1<<32-1:
		return c.load(at, c.branch(opEq, value, c.behind(at, yes), c.behind(at, no)))
	case value == 0:
		return c.load(at, c.branch(opSet, mask, c.behind(at, no), c.behind(at, yes)))
	}
	return c.load(at, c.op(opAnd, mask, c.branch(opEq, value, c.under(at, mask, yes), c.under(at, mask, no))))
}

// above compares the high words and, if they are equal, the low ones by op.
func (c *code) above(op uint16, arg int, value uint64, yes, no label) label {
	low := c.load(atLow(arg), c.branch(op, uint32(value), yes, no))
	high := atHigh(arg)
	same := c.branch(opEq, uint32(value>>32), low, c.behind(high, no))
	return c.load(high, c.branch(opGt, uint32(value>>32), c.behind(high, yes), same))
}
