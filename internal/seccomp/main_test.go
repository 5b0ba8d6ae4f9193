//go:build !(linux && (amd64 || arm64))

package seccomp

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	flags()
	os.Exit(m.Run())
}
