package host_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// The main of a program that embeds a host begins with
//
//	host.Init(backends.Builtin()...)
//
// and so does its TestMain. From then on children are started much as with os/exec.
func Example() {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close() // what is still running ends with it

	out, err := h.Command("sh", "-c", "echo hello").Output()
	fmt.Printf("%s%v\n", out, err)

	err = h.Command("sh", "-c", "exit 7").Run()
	var exit *spawn.ExitError
	if errors.As(err, &exit) {
		fmt.Println(exit.ExitCode())
	}

	cmd := h.Command("sh")
	cmd.Spec.Options = []spawn.Option{{Key: "speed", Value: "11"}}
	fmt.Println(errors.Is(cmd.Run(), spawn.ErrBadOption))
	// Output:
	// hello
	// <nil>
	// 7
	// true
}

// Start takes all that a child can be given, and returns a Process to signal, stop and
// wait for.
func ExampleHost_Start() {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()

	p, err := h.Start(context.Background(), spawn.Spec{
		Path:  "sleep",
		Args:  []string{"sleep", "1000"},
		Group: spawn.NewGroup, // a terminal's signals pass it by
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := p.Stop(context.Background()) // asks, and kills when that does not help
	fmt.Println(status, err, p.Forced())
	// Output: signal: terminated <nil> false
}

// The first child that fails ends the others, and is what the nursery returns.
func ExampleHost_Nursery() {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()

	err = h.Nursery(context.Background(), host.NurseryConfig{Name: "build"}, func(ctx context.Context, n *host.Nursery) error {
		for _, script := range []string{"sleep 1000", "exit 3"} {
			if _, err := n.Start(ctx, host.ChildConfig{Spec: spawn.Spec{Path: "sh", Args: []string{"sh", "-c", script}}}); err != nil {
				return err
			}
		}
		return nil
	})
	var failed *host.NurseryError
	var exit *spawn.ExitError
	if errors.As(err, &failed) && errors.As(err, &exit) {
		fmt.Println(exit.Code, len(failed.Canceled))
	}
	// Output: 3 1
}

// What plugins log, in whatever language they are written, is the program's to have.
func ExampleConfig_logger() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	h, err := host.Open(host.Config{
		Logger:   log,
		LogLimit: host.LogLimit{Rate: 20, Burst: 100}, // for each plugin
		OnEvent: func(e host.Event) {
			if d, ok := e.(host.LogDropped); ok {
				log.Warn("a plugin logs too much", "method", d.Key, "dropped", d.Records)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	fmt.Println(h.Command("true").Run())
	// Output: <nil>
}
