package sdk_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// careful is a backend whose children cannot gain privileges.
type careful struct{ sdk.Unimplemented }

func (careful) Describe() sdk.Description {
	return sdk.Description{
		Key: "careful", Summary: "forkexec without setuid programs",
		Schema: `{"additionalProperties": false}`, // it has no options
	}
}

func (careful) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	p := spawn.Standard(s)
	p.Insert(spawn.NoNewPrivs())
	return p, nil
}

// A backend logs by [sdk.Logger]: the host's own logger has the record, with the
// method and the process that it is from.
func ExampleLogger() {
	log := sdk.Logger().With("pool", "a")
	log.Debug("a place is taken", "free", 3) // nobody has asked for this
	fmt.Println(log.Enabled(context.Background(), slog.LevelError))
	// Output: true
}

// A backend is served by a main of three lines, or built into a host:
//
//	func main() { os.Exit(sdk.Main(careful{})) }
//	func main() { host.Init(sdk.Entry(careful{})); … }
//
// Its plans are data, which can be looked at without a host.
func Example() {
	e := sdk.Entry(careful{})
	fmt.Println(e.Key, e.Builtin())
	p, err := careful{}.Plan(context.Background(), &spawn.Spec{Path: "make", Dir: "/src"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range p.Steps {
		fmt.Println(step)
	}
	// Output:
	// careful true
	// clone(0)
	// files()
	// pdeathsig(9)
	// chdir({dir})
	// no_new_privs()
	// exec({path}, {argv}, {envp})
}
