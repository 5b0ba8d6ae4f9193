//go:build linux

package linux

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestLandlockABI(t *testing.T) {
	n, err := LandlockABI()
	// Which modules decide is only readable where securityfs is mounted.
	if lsm, lerr := os.ReadFile("/sys/kernel/security/lsm"); lerr == nil && strings.Contains(string(lsm), "landlock") != (err == nil) {
		t.Errorf("%d, %v; the kernel has %s", n, err, lsm)
	}
	if err == nil && n < 1 || err != nil && !errors.Is(err, syscall.ENOSYS) && !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("%d, %v", n, err)
	}
}
