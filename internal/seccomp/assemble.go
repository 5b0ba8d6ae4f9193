package seccomp

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
	all := f.spans(on)
	start := c.load(atNumber, c.tree(all, divide(all), 0, len(all)-1))
	start = c.branch(opEq, on.audit(), start, c.ret(KillProcess))
	c.load(atArch, start)
	if len(c.list) > maxInstructions {
		return "", bad("its program would have %d instructions, the kernel takes %d: fewer conditions are needed", len(c.list), maxInstructions)
	}
	return string(c.bytes()), nil
}

// tree writes the search for the span that the number in A is in.
func (c *code) tree(all []span, d division, from, to int) label {
	if from == to {
		return c.clauses(all[from].clauses)
	}
	k := d[from][to]
	right := c.tree(all, d, k, to)
	left := c.tree(all, d, from, k-1)
	return c.branch(opGe, all[k].first, right, left)
}

// clauses writes what decides one call.
func (c *code) clauses(all []clause) label {
	next := c.ret(all[len(all)-1].action)
	for i := len(all) - 2; i >= 0; i-- {
		fits := c.ret(all[i].action)
		for n := len(all[i].when) - 1; n >= 0; n-- {
			fits = c.condition(all[i].when[n], fits, next)
		}
		next = fits
	}
	return next
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
	return c.load(at, c.op(opAnd, mask, c.branch(opEq, value, yes, no)))
}

// above compares the high words and, if they are equal, the low ones by op.
func (c *code) above(op uint16, arg int, value uint64, yes, no label) label {
	low := c.load(atLow(arg), c.branch(op, uint32(value), yes, no))
	high := atHigh(arg)
	same := c.branch(opEq, uint32(value>>32), low, c.behind(high, no))
	return c.load(high, c.branch(opGt, uint32(value>>32), c.behind(high, yes), same))
}
