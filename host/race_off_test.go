//go:build linux && !race

package host_test

const raceEnabled = false
