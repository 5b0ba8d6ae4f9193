//go:build linux

package main

import (
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

func TestMain(m *testing.M) { os.Exit(backendtest.Main(m, new(backend))) }

func TestConformance(t *testing.T) {
	s := startSSHD(t)
	backendtest.Run(t, new(backend), backendtest.Options{Settings: s.options()})
}
