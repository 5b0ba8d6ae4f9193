package host_test

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

// externalBackend makes this test binary the plugin binary of a method: see
// TestMain. It returns its folder.
func externalBackend(t testing.TB, key string) string {
	t.Helper()
	dir := backendDir(t)
	in, err := os.Open(helperproc.Path())
	must(t, err)
	defer in.Close()
	syscall.ForkLock.RLock() // no child has it open for writing: ETXTBSY
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(filepath.Join(dir, "spawn-backend-"+key), os.O_CREATE|os.O_WRONLY, 0o755)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, err, out.Close())
	return dir
}
