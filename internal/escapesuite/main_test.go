//go:build linux

package escapesuite

import (
	"flag"
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/sdk"
)

var heavy = flag.Bool("heavy", false, "run what takes minutes")

func TestMain(m *testing.M) {
	host.Init(sdk.Entry(isolate.New()), sdk.Entry(weak{isolate.New()}))
	run := func() int {
		joinSession()
		return leakcheck.Main(m)
	}
	os.Exit(helperproc.Main(run, map[string]helperproc.Func{"attempt": attemptHelper, "exposed": exposedHelper}))
}

// sessionVariable says that this process has a session keyring of its own.
const sessionVariable = "ESCAPESUITE_SESSION"

// joinSession runs the tests again in a session keyring, if they are not in one of
// theirs: the keeper is to have inherited it.
func joinSession() {
	if os.Getenv(sessionVariable) != "" {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil {
		return // the attempt that needs it says so
	}
	os.Setenv(sessionVariable, "1")
	if err := syscall.Exec(helperproc.Path(), os.Args, os.Environ()); err != nil {
		panic(err)
	}
}
