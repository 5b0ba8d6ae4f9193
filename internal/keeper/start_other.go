//go:build unix && !linux

package keeper

import (
	"errors"
	"os"
	"syscall"
)

var selfExe, _ = os.Executable()

func openExe() (*os.File, error) { return nil, errors.ErrUnsupported }

func (k *keeper) path(_ *known, path string) string { return path }

func sealedSelf() (path string, done func()) { return selfExe, func() {} }

func shareFS() *syscall.SysProcAttr { return nil }

func wordsFile() (*os.File, error) {
	f, err := os.CreateTemp("", Name+"-*")
	if err == nil {
		os.Remove(f.Name())
	}
	return f, err
}
