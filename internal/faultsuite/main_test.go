//go:build linux && failpoints

package faultsuite

import (
	"flag"
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/faultplugin"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

// slots is how many cases go on at a time, unless -parallel says so: they
// mostly wait.
const slots = "8"

func TestMain(m *testing.M) {
	actor.Park()
	host.Init(append(backends.Builtin(), faultplugin.Entries()...)...)
	run := func() int {
		flag.Parse()
		given := false
		flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
		if !given {
			flag.Set("test.parallel", slots)
		}
		return leakcheck.Main(m)
	}
	os.Exit(helperproc.Main(run, map[string]helperproc.Func{"watch": watchHelper, "host": hostHelper, "warm": warmHelper}))
}
