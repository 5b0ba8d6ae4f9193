package seccomp

import "encoding/binary"

// The instructions of classic BPF that a filter needs, linux/bpf_common.h.
const (
	opLoad = 0x20 // A = the word at k
	opAnd  = 0x54 // A &= k
	opGo   = 0x05 // on at k
	opEq   = 0x15 // A == k?
	opGt   = 0x25 // A > k?
	opGe   = 0x35 // A >= k?
	opSet  = 0x45 // A & k?
	opRet  = 0x06 // the end, with the action k

	farthest        = 255  // that an instruction can branch
	instructionSize = 8    // bytes
	maxInstructions = 4096 // BPF_MAXINSNS
)

// Where a filter finds what it looks at, struct seccomp_data in linux/seccomp.h.
// Both architectures are little-endian: of an argument the low word comes first.
const (
	atNumber = 0
	atArch   = 4
)

func atLow(arg int) uint32  { return uint32(16 + 8*arg) }
func atHigh(arg int) uint32 { return uint32(16 + 8*arg + 4) }

// A label is an instruction, by its place in the code.
type label int

// An instruction goes to one of two others. Those that do not branch have yes
// alone, and it is the one below them.
type instruction struct {
	op      uint16
	k       uint32
	yes, no label
}

// code is a program that is written from its end: what an instruction goes to is
// there before it, so the first in the list is the last of the program. The same
// instruction is written once, however many go to it, as far as they can reach.
type code struct {
	list []instruction
	at   map[instruction]label
}

func (c *code) put(i, as instruction) label {
	l := label(len(c.list))
	c.list = append(c.list, i)
	c.at[as] = l
	return l
}

// ret ends the program.
func (c *code) ret(a Action) label {
	i := instruction{op: opRet, k: uint32(a)}
	if l, ok := c.at[i]; ok {
		return l
	}
	return c.put(i, i)
}

// op does something with A and goes on.
func (c *code) op(op uint16, k uint32, next label) label {
	as := instruction{op: op, k: k, yes: next}
	if l, ok := c.at[as]; ok {
		return l
	}
	if int(next) != len(c.list)-1 {
		next = c.nearer(next)
	}
	return c.put(instruction{op: op, k: k, yes: next}, as)
}

// load loads a word into A and goes on.
func (c *code) load(at uint32, next label) label { return c.op(opLoad, at, next) }

// branch goes to one of two places.
func (c *code) branch(op uint16, k uint32, yes, no label) label {
	if yes == no {
		return yes
	}
	as := instruction{op: op, k: k, yes: yes, no: no}
	if l, ok := c.at[as]; ok {
		return l
	}
	for far := true; far; {
		switch here := label(len(c.list)); {
		case here-yes-1 > farthest:
			yes = c.nearer(yes)
		case here-no-1 > farthest:
			no = c.nearer(no)
		default:
			far = false
		}
	}
	return c.put(instruction{op: op, k: k, yes: yes, no: no}, as)
}

// nearer puts an instruction that does what to does, or goes there.
func (c *code) nearer(to label) label {
	if i := c.list[to]; i.op == opRet {
		return c.put(i, i)
	}
	i := instruction{op: opGo, yes: to}
	return c.put(i, i)
}

// behind returns where to go on if A has the word at a place already.
func (c *code) behind(at uint32, to label) label {
	if i := c.list[to]; i.op == opLoad && i.k == at {
		return i.yes
	}
	return to
}

// under returns where to go on if A has the bits of a mask of the word at a place
// already.
func (c *code) under(at, mask uint32, to label) label {
	if i := c.list[to]; i.op == opLoad && i.k == at {
		if and := c.list[i.yes]; and.op == opAnd && and.k == mask {
			return and.yes
		}
	}
	return to
}

// prune takes out what nothing goes to, since all that did knew better. The kernel
// would translate it.
func (c *code) prune() {
	wanted := make([]bool, len(c.list))
	wanted[len(c.list)-1] = true
	for n := len(c.list) - 1; n >= 0; n-- {
		if i := c.list[n]; wanted[n] && i.op != opRet {
			wanted[i.yes] = true
			if i.branches() {
				wanted[i.no] = true
			}
		}
	}
	kept, now := c.list[:0], make([]label, len(c.list)) // where an instruction is now
	for n, i := range c.list {
		if wanted[n] {
			i.yes, i.no = now[i.yes], now[i.no]
			now[n] = label(len(kept))
			kept = append(kept, i)
		}
	}
	c.list, c.at = kept, nil
}

// branches reports whether an instruction goes to one of two.
func (i instruction) branches() bool {
	return i.op == opEq || i.op == opGt || i.op == opGe || i.op == opSet
}

// bytes returns the program as the kernel takes it: an array of struct
// sock_filter.
func (c *code) bytes() []byte {
	out := make([]byte, 0, len(c.list)*instructionSize)
	for n := len(c.list) - 1; n >= 0; n-- {
		i, k := c.list[n], c.list[n].k
		distance := func(to label) uint32 { return uint32(n) - uint32(to) - 1 }
		var yes, no byte
		switch {
		case i.branches():
			yes, no = byte(distance(i.yes)), byte(distance(i.no))
		case i.op == opGo:
			k = distance(i.yes)
		}
		out = binary.LittleEndian.AppendUint16(out, i.op)
		out = append(out, yes, no)
		out = binary.LittleEndian.AppendUint32(out, k)
	}
	return out
}
