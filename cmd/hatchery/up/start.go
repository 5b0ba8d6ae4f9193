package up

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// start starts a process of the service, and returns its output.
func (s *service) start(ctx context.Context, n *host.Nursery) (*output, error) {
	out, w, err := s.sup.show.output(s.Name)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	spec, err := s.spec(w)
	if err != nil {
		return out, err
	}
	stop := host.StopOptions{Signal: s.StopSignal, Grace: s.Grace, Scope: host.StopGroup}
	method := registry.SpawnMethodKey(s.Method)
	var child *host.Child
	if s.Actor == "" {
		child, err = n.Start(ctx, host.ChildConfig{Name: s.Name, Spec: spec, Method: method, Stop: stop})
	} else {
		var a *parent.Actor
		a, err = parent.Start(ctx, n, parent.Spec{
			Name: s.Name, Entry: s.Actor, Args: s.Args, Program: spec, Method: method, Bind: s.Bind,
			Registrar: s.registrar, Errors: discovery.Errors(), Handshake: s.startTimeout(), Stop: stop,
		})
		if err == nil {
			child = a.Child()
		}
	}
	if err != nil {
		return out, err
	}
	s.mu.Lock()
	s.child = child
	s.mu.Unlock()
	return out, nil
}

// spec returns the process, which writes to w.
func (s *service) spec(w *os.File) (spawn.Spec, error) {
	p := spawn.Spec{
		Path: s.Program[0], Args: s.Program, Dir: s.Dir, Env: environment(os.Environ(), s.Service),
		Files: []*os.File{nil, w, w}, Group: spawn.NewGroup, Credential: s.Credential,
	}
	for _, text := range s.Options {
		o, err := spawn.ParseOption(text)
		if err != nil {
			return p, err
		}
		p.Options = append(p.Options, o)
	}
	return p, nil
}

// environment returns the variables of a service: own with its own in their place,
// or its own alone.
func environment(own []string, s table.Service) []string {
	env := []string{}
	if !s.ClearEnv {
		env = append(env, own...)
	}
	for _, kv := range s.Env {
		name, _, _ := strings.Cut(kv, "=")
		env = slices.DeleteFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		env = append(env, kv)
	}
	return env
}
