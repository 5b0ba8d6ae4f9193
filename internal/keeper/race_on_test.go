//go:build race

package keeper

const (
	raceEnabled = true
	raceFactor  = 1
)
