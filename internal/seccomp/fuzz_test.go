package seccomp

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// random makes a filter that nobody would write.
func random(r *rand.Rand) Filter {
	names := slices.Sorted(maps.Keys(syscalls()))
	action := func() Action {
		return []Action{Allow, Allow, Log, Trap, KillProcess, Errno(uint16(r.IntN(40)))}[r.IntN(6)]
	}
	word := func() uint64 { return r.Uint64() >> r.IntN(64) & [2]uint64{1<<32 - 1, 1<<64 - 1}[r.IntN(2)] }
	f := Filter{Default: action(), Unknown: action()}
	var before []Condition // some are said of several calls, and in several orders
	for range r.IntN(80) {
		rule := Rule{Action: action()}
		for range 1 + r.IntN(12) {
			rule.Names = append(rule.Names, names[r.IntN(len(names))])
		}
		for range r.IntN(4) {
			c := Condition{Arg: r.IntN(6), Op: Op(r.IntN(int(MaskedEqual) + 1)), Value: word(), Mask: word()}
			if c.Op == MaskedEqual {
				c.Value &= c.Mask
			}
			if len(before) > 0 && r.IntN(2) == 0 {
				c = before[r.IntN(len(before))]
			}
			if c.Check() == nil {
				rule.If = append(rule.If, c)
				before = append(before, c)
			}
		}
		f.Rules = append(f.Rules, rule)
	}
	return f
}

func FuzzPrograms(f *testing.F) {
	for i := range uint64(12) {
		f.Add(i, i+1)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		filter := random(rand.New(rand.NewPCG(a, b)))
		for _, on := range []Arch{AMD64, ARM64} {
			compare(t, filter, on)
		}
	})
}
