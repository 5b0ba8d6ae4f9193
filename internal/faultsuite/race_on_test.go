//go:build linux && failpoints && race

package faultsuite

const raceEnabled = true
