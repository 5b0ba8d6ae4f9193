//go:build !linux

package backendtest

import (
	"os"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// The cases about children are for Linux alone.
func systemCases() []Case { return nil }

// BeHost is for Linux alone, as the case that it is for.
func BeHost() (code int, ok bool) { return 0, false }

func planSystemCases() []Case { return nil }

func needingTerminal(_ T, spec spawn.Spec) (spawn.Spec, bool) { return spec, false }

func holders(*os.File) string { return "it is not known which" }
