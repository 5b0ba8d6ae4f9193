//go:build unix

// The command spawn-backend-fault is a broken plugin, for tests: see package
// faultplugin. Its file name says how it is broken.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/internal/faultplugin"
)

func main() { os.Exit(faultplugin.Main(os.Args[0])) }
