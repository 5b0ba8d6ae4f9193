package isolate_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// roomy is isolate with the host's /tmp: what the kit makes lies there.
type roomy struct{ isolate.Backend }

func (r roomy) Describe() sdk.Description {
	d := r.Backend.Describe()
	d.Key = "roomy"
	return d
}

func (r roomy) Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	with := *s
	with.Options = append([]spawn.Option{{Key: "bind", Value: "/tmp:/tmp:rw"}}, s.Options...)
	p, err := r.Backend.Plan(ctx, &with)
	if err != nil { // a host says by itself whose errors they are
		e := *spawn.AsError(err)
		e.Key = "roomy"
		return nil, &e
	}
	return p, nil
}

// roomyBinary is the name of the plugin binary, which is the test's.
const roomyBinary = "spawn-backend-roomy"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == roomyBinary {
		os.Exit(sdk.Main(roomy{isolate.New()}))
	}
	os.Exit(backendtest.Main(m, isolate.New(), roomy{isolate.New()}))
}

func TestConformance(t *testing.T) {
	openHost(t)
	binary := copySelf(t, filepath.Join(t.TempDir(), roomyBinary))
	t.Chdir("/usr")
	backendtest.Run(t, roomy{isolate.New()}, backendtest.Options{Binary: binary, Heavy: *heavy, Except: []string{
		"bytes-environment", // without one the child gets a small one, not the host's
		"inherited",         // rights, groups and cgroups are not the host's
		"groups",            // seen from inside, the host's group and session are none
		"terminal",          // the host's terminal has no name in the sandbox's /dev
	}})
}

// copySelf copies the test's program.
func copySelf(t *testing.T, to string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}
