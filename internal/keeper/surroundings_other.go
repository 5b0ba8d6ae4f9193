//go:build unix && !linux

package keeper

import "github.com/hatchery-spawn/hatchery/spawn"

// Elsewhere nothing is done ahead.
type (
	surroundings struct{}
	mountWatch   struct{}
)

func (s *surroundings) equal(surroundings) bool                      { return false }
func (k *keeper) surroundings(*spawn.Plan) (s surroundings, ok bool) { return s, false }
func (l *launcher) umask() (mask int, ok bool)                       { return 0, false }
