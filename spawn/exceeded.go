package spawn

import "strings"

// Exceeded is a set of limits that a child ran into. That it did is a fact of
// its own beside how it ended: a program that is refused a new process may go
// on and exit with 0, and one whose memory the kernel ran out of may have been
// killed itself or seen a child of its own killed.
type Exceeded uint32

// The limits that a child can run into.
const (
	// ExceededMemory: the kernel killed one of its processes for want of memory.
	ExceededMemory Exceeded = 1 << iota
	// ExceededPids: a new process or thread was refused.
	ExceededPids
	// ExceededWall: it was killed since it ran for too long.
	ExceededWall
	// ExceededCPU: it has used up its time on the processors.
	ExceededCPU
)

// Names returns the names of the limits: memory, pids, wall and cpu_time.
func (e Exceeded) Names() []string {
	names := []string{}
	for i, name := range [...]string{"memory", "pids", "wall", "cpu_time"} {
		if e&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names with commas between them.
func (e Exceeded) String() string { return strings.Join(e.Names(), ", ") }
