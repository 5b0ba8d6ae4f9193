// Command names has actors that find each other by name: a registrar, two
// translators, and a client that knows neither of them but what they are called. It
// waits for the second, which is started after it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
)

func main() {
	host.Init(backends.Builtin()...)
	p := program()
	if code, ok := p.Run(); ok {
		os.Exit(code) // this process is one of the actors
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(1)
	}
}

// run starts all of them, and prints what the client has got.
func run(ctx context.Context, w io.Writer) error {
	cfg := host.NurseryConfig{Name: "names", StopAtEnd: true}
	return parent.Run(ctx, host.Config{}, cfg, func(ctx context.Context, n *host.Nursery) error {
		registrar, err := startRegistrar(ctx, n)
		if err != nil {
			return err
		}
		start := func(name, entry string, args ...string) (*parent.Actor, error) {
			return parent.Start(ctx, n, parent.Spec{Name: name, Entry: entry, Args: args, Registrar: registrar})
		}
		if _, err := start("german", "translator", "hello=hallo", "world=Welt"); err != nil {
			return err
		}
		client, err := start("client", "client", "german", "french", "hello", "world")
		if err != nil {
			return err
		}
		if _, err := start("french", "translator", "hello=bonjour", "world=monde"); err != nil {
			return err
		}
		var said []string
		if err := client.Result(&said); err != nil {
			return err
		}
		for _, line := range said {
			fmt.Fprintln(w, line)
		}
		return nil
	})
}

// startRegistrar starts a registrar at a socket in the host's own folder, and
// returns its addresses. At an address that others may have, a root asks first
// whether a registrar is running there (discovery.AnyRegistrar).
func startRegistrar(ctx context.Context, n *host.Nursery) ([]string, error) {
	dir, err := n.SocketFolder()
	if err != nil {
		return nil, err
	}
	at, err := address.Unix(filepath.Join(dir, "registrar"))
	if err != nil {
		return nil, err
	}
	a, err := parent.Start(ctx, n, parent.Spec{Name: "registrar", Entry: "registrar", Bind: []string{at.String()}, Errors: discovery.Errors()})
	if err != nil {
		return nil, err
	}
	return a.Addresses(), nil
}
