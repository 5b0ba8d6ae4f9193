package up

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
	"github.com/hatchery-spawn/hatchery/host"
)

// registrarArg is what the registrar's process has for its only argument.
const registrarArg = "up-registrar"

// Main is the registrar, in a process that is to be it: ok is false in every other.
// The process has to exit with the code.
func Main(args []string) (code int, ok bool) {
	if len(args) != 2 || args[1] != registrarArg {
		return 0, false
	}
	p := actor.Program{
		Errors:  discovery.Errors(),
		Entries: map[string]actor.Entry{table.RegistrarName: discovery.RegistrarEntry(discovery.Config{})},
	}
	return p.Run()
}

// registrarService returns the registrar as a service. It is at the given
// addresses, or else at a socket in the host's own folder.
func registrarService(n *host.Nursery, given []string) (table.Service, error) {
	s := table.Service{
		Name: table.RegistrarName, Actor: table.RegistrarName, Bind: given,
		Restart: table.Restart{Max: 5, Within: time.Minute, MinDelay: 100 * time.Millisecond, MaxDelay: 30 * time.Second},
	}
	if len(given) == 0 {
		dir, err := n.SocketFolder()
		if err != nil {
			return s, err
		}
		at, err := address.Unix(filepath.Join(dir, table.RegistrarName))
		if err != nil {
			return s, err
		}
		s.Bind = []string{at.String()}
	}
	path, err := os.Executable()
	if err != nil {
		return s, err
	}
	s.Program = []string{path, registrarArg}
	return s, nil
}

// registered waits until an actor of that name is registered.
func registered(ctx context.Context, registrar []string, name string) error {
	addrs, err := address.ParseAll(registrar...)
	if err != nil {
		return err
	}
	c, err := discovery.NewClient(discovery.Config{Registrar: addrs})
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		p, err := c.Wait(ctx, name)
		if err == nil {
			p.Close()
			return nil
		}
		if !pause(ctx, registrarPause) {
			return err
		}
	}
}

// registrarPause is between two questions, when the registrar does not answer:
// it may be that it is being started again.
const registrarPause = 100 * time.Millisecond
