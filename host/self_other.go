//go:build !linux

package host

import "os"

func selfExe() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
