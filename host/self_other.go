//go:build !linux

package host

import (
	"os"

	"github.com/hatchery-spawn/hatchery/registry"
)

// openSelf returns the program of a method that is built in: this one.
func openSelf(e registry.Entry) (*pluginProgram, error) {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return &pluginProgram{path: path, args: []string{pluginName, string(e.Key)}}, nil
}
