package backendtest

import (
	"flag"
	"os/exec"
	"path"
	"path/filepath"
)

// Binary returns the path of a plugin binary, for Options.Binary: in the folder, if
// one is named, or else built for this test by the go command. The package is what
// the go command takes, and its last part the name of the binary:
//
//	backendtest.Binary(t, "../../cmd/spawn-backend-careful", *folder)
//
// With -short nothing is built and the path is empty, which leaves that way out.
func Binary(t T, pkg, folder string) string {
	t.Helper()
	name := path.Base(pkg)
	if folder != "" {
		return filepath.Join(folder, name)
	}
	if short := flag.Lookup("test.short"); short != nil && short.Value.String() == "true" {
		t.Logf("without the plugin binary: it would have to be built")
		return ""
	}
	to := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", to, pkg).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return to
}
