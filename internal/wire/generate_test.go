package wire_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGeneratedCodeIsCurrent generates the code again, as `make generate` does,
// and compares. It has to download and build buf the first time, which takes
// minutes; after that it is a matter of seconds.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	if os.Getenv("HATCHERY_GENERATE") == "" {
		t.Skip("set HATCHERY_GENERATE=1 to run buf, which is built for it the first time")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	buf(t, "generate", here, "--template", filepath.Join(here, "buf.gen.yaml"), "-o", dir)
	for _, name := range []string{"spawnv1/spawn.pb.go", "spawnv1/spawn_grpc.pb.go"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not what spawn.proto generates (run make generate): -want +got\n%s", name, diff)
		}
	}
	buf(t, "lint", here)
}

func buf(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"tool", "buf"}, args...)...)
	cmd.Dir = "../../tools"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}
