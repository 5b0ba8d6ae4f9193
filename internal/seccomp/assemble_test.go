package seccomp

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// arches are the numbers of calling conventions: amd64, arm64, i386, big-endian
// arm64, and one that is none.
func arches() []uint32 {
	return []uint32{AMD64.audit(), ARM64.audit(), 0x4000_0003, 0x8000_00b7, 0}
}

func numbers() []uint32 {
	var all []uint32
	for n := range uint32(601) {
		all = append(all, n)
	}
	return append(all, 1023, 1024, 1<<24, x32-1, x32, x32|1, x32|520, 1<<31-1, 1<<31, 1<<32-1)
}

// arguments returns argument lists that are close to what the rules of a call
// compare with.
func arguments(f Filter, name string, r *rand.Rand) [][6]uint64 {
	all := [][6]uint64{{}, {1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1}}
	for _, rule := range f.Rules {
		if len(rule.If) == 0 || !slices.Contains(rule.Names, name) {
			continue
		}
		for range 12 {
			var a [6]uint64
			for i := range a {
				a[i] = r.Uint64() >> r.IntN(64)
			}
			for _, w := range rule.If {
				near := []uint64{w.Value, w.Value + 1, w.Value - 1, w.Value ^ 1<<32, w.Value ^ 1<<31, w.Value | ^w.Mask, w.Value ^ w.Mask&-w.Mask, w.Value | 1<<40}
				a[w.Arg] = near[min(r.IntN(2*len(near)), len(near)-1)*r.IntN(2)]
			}
			all = append(all, a)
		}
	}
	return all
}

// compare runs the program of a filter against a reader of its rules.
func compare(t *testing.T, f Filter, on Arch) (program string) {
	t.Helper()
	program, err := Assemble(f, on)
	if err != nil {
		t.Fatal(err)
	}
	reader, random := newReader(f, on), rand.New(rand.NewPCG(1, 2))
	for _, n := range numbers() {
		lists := arguments(f, reader.names[n], random)
		for _, arch := range arches() {
			for _, a := range lists {
				c := call{n, arch, a}
				got, _, err := run(program, c)
				if want := reader.expect(c); err != nil || got != want {
					t.Fatalf("%s: call %d of %#x with %#x: %v, %v; want %v", on, n, arch, a, got, err, want)
				}
			}
		}
	}
	return program
}

// filters are those whose programs the tests look at.
func filters() map[string]Filter {
	names := slices.Sorted(maps.Keys(syscalls()))
	var odd []string
	for i, name := range names {
		if i%2 == 1 {
			odd = append(odd, name)
		}
	}
	each := Filter{Default: KillProcess, Unknown: Errno(enosys)}
	for i, name := range names {
		each.Rules = append(each.Rules, Rule{Names: []string{name}, Action: Errno(uint16(i + 1))})
	}
	long := Filter{Default: Allow}
	for i, name := range names {
		v := uint64(i)<<33 + 1
		long.Rules = append(long.Rules, Rule{Names: []string{name}, If: []Condition{{Arg: i % 6, Value: v}}, Action: Errno(uint16(i))})
	}
	return map[string]Filter{
		"nothing":     {Default: Allow},
		"all refused": {Default: Errno(eperm), Unknown: Errno(enosys)},
		"every other": {Default: Allow, Rules: []Rule{{Names: odd, Action: Log}}},
		"each":        each,
		"long":        long,
		"first decides": {Default: Allow, Rules: []Rule{
			{Names: []string{"ioctl"}, If: []Condition{Low(1, 0x5412)}, Action: Errno(1)},
			{Names: []string{"ioctl", "read"}, Action: Trap},
			{Names: []string{"ioctl", "read"}, Action: KillProcess},
		}},
		"comparisons": comparisons(),
		"known":       known(),
	}
}

// known has rules in which something follows, or seems to, from what the ones before
// them have asked.
func known() Filter {
	bits := func(mask, value uint64) Condition {
		return Condition{Arg: 0, Op: MaskedEqual, Mask: mask, Value: value}
	}
	above := func(v uint64) Condition { return Condition{Arg: 0, Op: Greater, Value: v} }
	second := func(v uint32) Condition { return Low(1, v) }
	f := Filter{Default: KillProcess}
	for i, when := range [][]Condition{
		{bits(0xff, 3), second(1)},
		{bits(0xff, 3), second(2), bits(0xff00, 0)},
		{bits(0xff, 5), second(1)},
		{second(2), bits(0xff, 3)},
		{bits(0x0f, 3), second(3)},
		{above(0x20000), second(4)},
		{above(0x10000), second(5)},
		{above(0x20000), second(5), bits(0xff, 7)},
		{Low(0, 9), second(6)},
		{{Arg: 0, Op: NotEqual, Value: 9}, second(6)},
		{{Arg: 0, Op: NotEqual, Value: 8}, second(7)},
	} {
		f.Rules = append(f.Rules, Rule{Names: []string{"read", "openat2"}, If: when, Action: Errno(uint16(i + 1))})
	}
	return f
}

func comparisons() Filter {
	f := Filter{Default: KillProcess, Unknown: Allow}
	values := []uint64{1, 7, 1<<31 + 5, 1 << 32, 1<<32 + 7, 1<<63 + 1<<31, 1<<64 - 2}
	names := []string{"read", "write", "socket", "clone", "ioctl", "prctl", "mknodat"}
	for i, name := range names {
		for op := Equal; op < MaskedEqual; op++ {
			f.Rules = append(f.Rules, Rule{Names: []string{name}, Action: Errno(uint16(op) + 1),
				If: []Condition{{Arg: i % 6, Op: op, Value: values[i]}, {Arg: (i + 1) % 6, Op: op, Value: values[len(values)-1-i]}}})
		}
		mask := values[i] | 0xff
		f.Rules = append(f.Rules,
			Rule{Names: []string{name}, If: []Condition{{Arg: 2, Op: MaskedEqual, Value: mask & 0x1_0000_00f0, Mask: mask}, None(2, 1<<40|1<<3)}, Action: Trap},
			Rule{Names: []string{name}, If: []Condition{None(3, 0xf0), Low(3, uint32(i))}, Action: Log})
	}
	return f
}

func TestProgramsDoWhatTheRulesSay(t *testing.T) {
	for name, f := range filters() {
		t.Run(name, func(t *testing.T) {
			for _, on := range []Arch{AMD64, ARM64} {
				t.Logf("%s: %d instructions", on, len(compare(t, f, on))/instructionSize)
			}
		})
	}
}

// TestSameIsWrittenOnce: what many numbers share is not repeated.
func TestSameIsWrittenOnce(t *testing.T) {
	f := Filter{Default: Allow}
	for _, name := range []string{"read", "stat", "ioctl", "prctl", "uname"} {
		f.Rules = append(f.Rules, Rule{Names: []string{name}, If: []Condition{{Arg: 0, Value: 1 << 40}}, Action: Trap})
	}
	program, err := Assemble(f, AMD64)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(program, "\x20\x00\x00\x00\x10\x00\x00\x00"); n != 1 {
		t.Errorf("the low word of argument 0 is loaded in %d places; want 1", n)
	}
}

func TestMistakes(t *testing.T) {
	rule := func(r Rule) Filter {
		return Filter{Default: Allow, Rules: []Rule{{Names: []string{"read"}, Action: Log}, r}}
	}
	when := func(c Condition) Filter {
		return rule(Rule{Names: []string{"read"}, If: []Condition{c}, Action: Allow})
	}
	many := Filter{Default: Allow}
	for i := range uint64(2000) {
		many.Rules = append(many.Rules, Rule{Names: []string{"read"}, If: []Condition{{Arg: 0, Value: i << 30}}, Action: Errno(uint16(i))})
	}
	tests := []struct {
		f    Filter
		on   Arch
		want string
	}{
		{Filter{}, AMD64, "the default action is no action (0x0)"},
		{Filter{Default: errno | 4096}, AMD64, "the default action is no action"},
		{Filter{Default: Allow, Unknown: 7}, AMD64, "unknown calls is no action (0x7)"},
		{Filter{Default: Allow}, "riscv64", "no table of system calls for riscv64"},
		{rule(Rule{Action: Allow}), AMD64, "rule 1: it names no system call"},
		{rule(Rule{Names: []string{"raed"}, Action: Allow}), AMD64, `rule 1: there is no system call "raed"`},
		{rule(Rule{Names: []string{"read"}}), AMD64, "rule 1: its action is no action"},
		{when(Condition{Arg: 6}), AMD64, "there is no argument 6"},
		{when(Condition{Op: 9}), AMD64, "there is no comparison 9"},
		{when(Condition{Op: MaskedEqual, Mask: 6, Value: 1}), AMD64, "argument 0 & 0x6 is never 0x1"},
		{when(Condition{Op: Less}), AMD64, "argument 0 is never beyond"},
		{many, AMD64, "instructions, the kernel takes 4096"},
	}
	for _, tt := range tests {
		_, err := Assemble(tt.f, tt.on)
		if !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("error = %v; want %q", err, tt.want)
		}
	}
}
