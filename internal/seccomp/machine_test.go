package seccomp

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A call is what the kernel shows a filter: struct seccomp_data.
type call struct {
	number, arch uint32
	args         [6]uint64
}

// word is a load from the structure.
func (c call) word(at uint32) (uint32, error) {
	var b [64]byte
	binary.LittleEndian.PutUint32(b[0:], c.number)
	binary.LittleEndian.PutUint32(b[4:], c.arch)
	binary.LittleEndian.PutUint64(b[8:], 0xdeadbeef) // the instruction pointer
	for i, a := range c.args {
		binary.LittleEndian.PutUint64(b[16+8*i:], a)
	}
	if at%4 != 0 || at+4 > uint32(len(b)) {
		return 0, fmt.Errorf("load at %d", at)
	}
	return binary.LittleEndian.Uint32(b[at:]), nil
}

// run executes a program as the kernel's description of classic BPF has it, and
// returns how many instructions it took.
func run(program string, c call) (a Action, steps int, err error) {
	var acc uint32
	for pc := 0; ; pc++ {
		if 8*pc+8 > len(program) {
			return 0, steps, fmt.Errorf("it runs out of the program at %d", pc)
		}
		steps++
		b := []byte(program[8*pc : 8*pc+8])
		op, yes, no, k := binary.LittleEndian.Uint16(b), int(b[2]), int(b[3]), binary.LittleEndian.Uint32(b[4:])
		jump := func(cond bool) {
			if cond {
				pc += yes
			} else {
				pc += no
			}
		}
		switch op {
		case 0x20: // BPF_LD|BPF_W|BPF_ABS
			if acc, err = c.word(k); err != nil {
				return 0, steps, err
			}
		case 0x54: // BPF_ALU|BPF_AND|BPF_K
			acc &= k
		case 0x05: // BPF_JMP|BPF_JA
			pc += int(k)
		case 0x15: // BPF_JMP|BPF_JEQ|BPF_K
			jump(acc == k)
		case 0x25: // BPF_JMP|BPF_JGT|BPF_K
			jump(acc > k)
		case 0x35: // BPF_JMP|BPF_JGE|BPF_K
			jump(acc >= k)
		case 0x45: // BPF_JMP|BPF_JSET|BPF_K
			jump(acc&k != 0)
		case 0x06: // BPF_RET|BPF_K
			return Action(k), steps, nil
		default:
			return 0, steps, fmt.Errorf("instruction %d has the operation %#x", pc, op)
		}
	}
}

// A reader does what a filter says by reading its rules, one after the other.
type reader struct {
	filter Filter
	on     Arch
	names  map[uint32]string // on amd64 and arm64 no number has two
}

func newReader(f Filter, on Arch) *reader {
	r := &reader{f, on, make(map[uint32]string)}
	for name := range syscalls() {
		if n, ok := Number(name, on); ok {
			r.names[uint32(n)] = name
		}
	}
	return r
}

func (r *reader) expect(c call) Action {
	name, known := r.names[c.number]
	switch {
	case c.arch != r.on.audit():
		return KillProcess
	case r.on == AMD64 && c.number >= x32:
		return Errno(enosys)
	case !known && r.filter.Unknown != 0:
		return r.filter.Unknown
	case !known:
		return r.filter.Default
	}
	for _, rule := range r.filter.Rules {
		if slices.Contains(rule.Names, name) && !slices.ContainsFunc(rule.If, func(w Condition) bool { return !w.holds(c.args[w.Arg]) }) {
			return rule.Action
		}
	}
	return r.filter.Default
}

func (w Condition) holds(a uint64) bool {
	switch w.Op {
	case Equal:
		return a == w.Value
	case NotEqual:
		return a != w.Value
	case Less:
		return a < w.Value
	case LessOrEqual:
		return a <= w.Value
	case GreaterOrEqual:
		return a >= w.Value
	case Greater:
		return a > w.Value
	case MaskedEqual:
		return a&w.Mask == w.Value
	}
	panic("no such comparison")
}
