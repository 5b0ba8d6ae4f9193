package seccomp

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// syscalls.txt has a line for each name: the number on amd64, on arm64. Names
// that have neither are those of other architectures, or of their own words for
// what is one call here.
//
//go:embed syscalls.txt
var syscallsText string

// columns are the architectures of syscalls.txt.
const columns = 2

func (a Arch) column() int {
	if a == ARM64 {
		return 1
	}
	return 0
}

// absent stands for a call that an architecture does not have.
const absent = -1

var syscalls = sync.OnceValue(func() map[string][columns]int {
	all := make(map[string][columns]int, 600)
	for line := range strings.Lines(syscallsText) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		var n [columns]int
		for i := range n {
			n[i] = absent
			if f[1+i] != "-" {
				v, err := strconv.Atoi(f[1+i])
				if err != nil || v < 0 || v >= numbered {
					panic("bug: syscalls.txt: " + line)
				}
				n[i] = v
			}
		}
		all[f[0]] = n
	}
	return all
})

// Known reports whether a system call of that name exists on any architecture of
// Linux.
func Known(name string) bool {
	_, ok := syscalls()[name]
	return ok
}

// Number returns the number of a system call; ok is false where the architecture
// has none of that name.
func Number(name string, on Arch) (number int, ok bool) {
	n, ok := syscalls()[name]
	if !ok || on.audit() == 0 || n[on.column()] == absent {
		return 0, false
	}
	return n[on.column()], true
}
