package sdk

import (
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// LookPath is exec.LookPath, by which the host looks up a Spec's program, and notes in
// b what it depends on.
func LookPath(b *spawn.Basis, name string) (string, error) {
	if strings.Contains(name, "/") {
		b.Stat(name)
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(b.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		b.Stat(path)
		if !filepath.IsAbs(path) {
			break // no such Basis holds
		}
		if _, err := exec.LookPath(path); err == nil {
			break
		}
	}
	return exec.LookPath(name)
}
