package host_test

import (
	"errors"
	"fmt"

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
