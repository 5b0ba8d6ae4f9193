package seccomp

import (
	"fmt"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Filter says what happens to each system call.
type Filter struct {
	// Default is for calls that exist and that no rule decides.
	Default Action
	// Unknown is for numbers that are no call as far as this package knows, such
	// as those of a later kernel; 0 is Default.
	Unknown Action
	// Rules are asked in their order: the first that fits decides.
	Rules []Rule
}

// A Rule decides calls of some names, if the arguments are so.
type Rule struct {
	Names []string
	// If has what must hold of the arguments, all of it; without any the rule
	// fits every call.
	If     []Condition
	Action Action
}

// An Op compares an argument, as an unsigned number of 64 bits.
type Op uint8

// The comparisons.
const (
	Equal          Op = iota // argument == Value
	NotEqual                 // argument != Value
	Less                     // argument < Value
	LessOrEqual              // argument <= Value
	GreaterOrEqual           // argument >= Value
	Greater                  // argument > Value
	MaskedEqual              // argument & Mask == Value
)

// A Condition is what must hold of one argument.
//
// The registers have 64 bits, but where the kernel's function takes an int the
// upper 32 are ignored, and a program may set them as it likes. A condition on
// such an argument must not look at them: see [Low].
type Condition struct {
	Arg   int // 0 to 5
	Op    Op
	Value uint64
	Mask  uint64 // for MaskedEqual alone
}

// Low holds when the low 32 bits of an argument are value. It is for arguments
// of the type int, such as the request of ioctl(2).
func Low(arg int, value uint32) Condition {
	return Condition{Arg: arg, Op: MaskedEqual, Value: uint64(value), Mask: 0xffff_ffff}
}

// None holds when an argument has none of the given bits.
func None(arg int, bits uint64) Condition {
	return Condition{Arg: arg, Op: MaskedEqual, Mask: bits}
}

// check finds what cannot be meant.
func (f Filter) check() error {
	if !f.Default.valid() {
		return bad("the default action is %v", f.Default)
	}
	if f.Unknown != 0 && !f.Unknown.valid() {
		return bad("the action for unknown calls is %v", f.Unknown)
	}
	for i, r := range f.Rules {
		if err := r.check(); err != nil {
			return bad("rule %d: %w", i, err)
		}
	}
	return nil
}

func (r Rule) check() error {
	if len(r.Names) == 0 {
		return fmt.Errorf("it names no system call")
	}
	for _, name := range r.Names {
		if !Known(name) {
			return fmt.Errorf("there is no system call %q on any architecture", name)
		}
	}
	if !r.Action.valid() {
		return fmt.Errorf("its action is %v", r.Action)
	}
	for _, c := range r.If {
		if err := c.Check(); err != nil {
			return err
		}
	}
	return nil
}

// Check finds a condition that the kernel cannot test, or that holds never.
func (c Condition) Check() error {
	switch {
	case c.Arg < 0 || c.Arg > 5:
		return fmt.Errorf("there is no argument %d: they are 0 to 5", c.Arg)
	case c.Op > MaskedEqual:
		return fmt.Errorf("there is no comparison %d", c.Op)
	case c.Op == MaskedEqual && c.Value&^c.Mask != 0:
		return fmt.Errorf("argument %d & %#x is never %#x: the value has bits that the mask has not", c.Arg, c.Mask, c.Value)
	case c.Op == Less && c.Value == 0, c.Op == Greater && c.Value == 1<<64-1:
		return fmt.Errorf("argument %d is never beyond the smallest or the largest number", c.Arg)
	}
	return nil
}

func bad(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &spawn.Error{Phase: spawn.PhasePlan, Op: string(spawn.OpSeccomp), Kind: spawn.ErrBadOption, Msg: err.Error()}
}
