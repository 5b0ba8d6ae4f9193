package seccomp

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write syscalls.txt anew")
	os.Exit(m.Run())
}
