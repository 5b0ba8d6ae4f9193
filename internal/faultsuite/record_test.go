//go:build linux && failpoints

package faultsuite

import (
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/internal/hunt"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// records are whom the keepers of a host have recorded. Whoever is there at the end
// was in the last record too: it was below its keeper all the time.
type records map[keeper.Entry]bool

// read adds what is recorded now.
func (r records) read(run string) {
	paths, _ := filepath.Glob(run + "/hatchery/*/" + keeper.RecordPrefix + "*")
	for _, path := range paths {
		record, err := keeper.ReadRecord(path)
		if err != nil {
			continue // it is being made, or is gone
		}
		for _, e := range record.Entries {
			e.Held = 0 // it grows
			r[e] = true
		}
	}
}

// name reports whether a process is one of them.
func (r records) name(pid int) bool {
	s, err := linux.ReadStat(pid)
	if err != nil {
		return false
	}
	for e := range r {
		if e.Pid == pid && hunt.Means(e, s) {
			return true
		}
	}
	return false
}
