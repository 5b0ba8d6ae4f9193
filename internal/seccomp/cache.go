package seccomp

import (
	"encoding/binary"
	"strings"
	"sync"
)

// A Cache keeps the programs of filters, by their content. Its zero value is
// ready; it may be used by several goroutines.
type Cache struct {
	mu       sync.Mutex
	programs map[string]string
}

// cached is how many programs a cache keeps: who has more than a few profiles
// makes them anew for each child.
const cached = 32

// Assemble is the function of that name, done once for each filter.
func (c *Cache) Assemble(f Filter, on Arch) (string, error) {
	k := string(on) + f.content()
	c.mu.Lock()
	program, ok := c.programs[k]
	c.mu.Unlock()
	if ok {
		return program, nil
	}
	program, err := Assemble(f, on)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.programs == nil || len(c.programs) >= cached {
		c.programs = make(map[string]string)
	}
	c.programs[k] = program
	return program, nil
}

// content returns a string that is the same for filters that are.
func (f Filter) content() string {
	var b strings.Builder
	number := func(n uint64) {
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], n)
		b.Write(w[:])
	}
	number(uint64(f.Default)<<32 | uint64(f.Unknown))
	for _, r := range f.Rules {
		number(uint64(len(r.Names))<<48 | uint64(len(r.If))<<32 | uint64(r.Action))
		for _, name := range r.Names {
			b.WriteString(name)
			b.WriteByte(0)
		}
		for _, c := range r.If {
			number(uint64(int64(c.Arg))<<8 | uint64(c.Op))
			number(c.Value)
			number(c.Mask)
		}
	}
	return b.String()
}
