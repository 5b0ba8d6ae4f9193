package seccomp

import (
	"encoding/binary"
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
	k := f.appendTo(append(make([]byte, 0, 8<<10), on...))
	c.mu.Lock()
	program, ok := c.programs[string(k)]
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
	c.programs[string(k)] = program
	return program, nil
}

// appendTo appends what is the same for filters that are.
func (f Filter) appendTo(b []byte) []byte {
	number := binary.LittleEndian.AppendUint64
	b = number(b, uint64(f.Default)<<32|uint64(f.Unknown))
	for _, r := range f.Rules {
		b = number(b, uint64(len(r.Names))<<48|uint64(len(r.If))<<32|uint64(r.Action))
		for _, name := range r.Names {
			b = append(append(b, name...), 0)
		}
		for _, c := range r.If {
			b = number(b, uint64(int64(c.Arg))<<8|uint64(c.Op))
			b = number(number(b, c.Value), c.Mask)
		}
	}
	return b
}
