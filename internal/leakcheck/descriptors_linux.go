package leakcheck

import (
	"fmt"
	"os"
	"path/filepath"
)

// addDescriptors adds the open descriptors with what they refer to. A number
// that came to refer to something else is another descriptor.
func (inv inventory) addDescriptors() {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		// The descriptor with which the folder was read is closed by now,
		// and its link cannot be read.
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		d := fmt.Sprintf("descriptor %s: %s", e.Name(), target)
		inv[d] = d
	}
}
