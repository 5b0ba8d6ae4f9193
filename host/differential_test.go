//go:build linux && (amd64 || arm64)

package host_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/registry"
)

// differentialMethods are the local methods whose children must not be told
// from those of os/exec. External ones are served by a binary of their own.
var differentialMethods = []struct {
	key      string
	external bool
}{
	{"forkexec", false},
	{"forkexec", true},
	{"isolate", false},
}

const (
	differentialHelpers = 10 // for each method, each a host of its own
	differentialSandbox = 3  // for a method whose children are in one
	differentialWishes  = 25 // of each helper
)

// TestDifferential starts generated children by os/exec and by each method, in
// hosts that change meanwhile, and compares everything that can be seen of
// them. DIFFERENTIAL_SEED repeats a run.
func TestDifferential(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("DIFFERENTIAL_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	helpers := differentialHelpers
	if testing.Short() {
		helpers = 1
	}
	t.Cleanup(removeTestGroup)
	for _, m := range differentialMethods {
		name := m.key
		binaries := ""
		if m.external {
			name, binaries = name+", external", externalBackend(t, m.key)
		}
		helpers := helpers
		if m.key == isolatedKey {
			helpers = min(helpers, differentialSandbox)
		}
		t.Run(name, func(t *testing.T) {
			if m.key == isolatedKey {
				if err := isolate.New().Probe(t.Context()); err != nil {
					t.Skip(err)
				}
			}
			for i := range helpers {
				runDifferential(t, m.key, binaries, seed+uint64(i))
			}
		})
	}
}

// runDifferential runs one helper.
func runDifferential(t *testing.T, key, binaries string, seed uint64) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err, os.Mkdir(dir+"/real", 0o755), os.Symlink("real", dir+"/link"), os.Mkdir(dir+"/closed", 0o700),
		os.WriteFile(dir+"/file", []byte("some text"), 0o644),
		tinyelf.Write(dir+"/pause", tinyelf.Pause()), tinyelf.Write(dir+"/real/pause", tinyelf.Pause()))
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		os.Chmod(d, 0o755) // for children with another identity
	}
	cmd := helperproc.Command("differential", key, binaries, dir, strconv.FormatUint(seed, 10))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "DIFFERENTIAL_GROUP="+testGroup())
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("DIFFERENTIAL_SEED=%d: %v\n%s", seed, err, out)
	}
}

// differentialHelper is a host that changes and compares.
func differentialHelper(args []string) int {
	linux.CloseOnExecFrom(3) // what the tests were started with would be os/exec's child's too
	key, binaries, dir := args[0], args[1], args[2]
	seed, _ := strconv.ParseUint(args[3], 10, 64)
	d := &comparer{maker: maker{Rand: rand.New(rand.NewPCG(seed, 0)), dir: dir, root: os.Getuid() == 0, modest: key == isolatedKey}}
	d.before()
	cfg := host.Config{}
	if binaries != "" {
		entries, skipped := host.Discover([]string{binaries})
		r, err := registry.New(entries...)
		if err != nil || len(entries) != 1 {
			fmt.Println(err, skipped)
			return 1
		}
		cfg.Registry = r
	}
	h, err := host.Open(cfg)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	d.h, d.key = h, key
	for range differentialWishes {
		if d.chance(50) {
			d.history = append(d.history, d.change())
		}
		d.compare()
		d.closeFiles()
	}
	os.Chdir("/")
	if err := h.Close(); err != nil {
		fmt.Println("Close:", err)
	}
	return 0
}
