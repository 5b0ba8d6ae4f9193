package parent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/tail"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Start starts an actor in a nursery and returns when it is ready. ctx, the
// nursery and Spec.Handshake bound the start only; when it fails nothing is left
// running. The error is a *[host.ChildError], or a *[spawn.Error] when nothing
// was tried because the Spec makes no sense. Of an actor that ended before it was
// ready a *[spawn.ExitError] with its status is among the causes, and what it has
// said, if it did; of one that said nothing the kind is spawn.ErrTimeout, of one
// that said what it should not have, or has closed its channel, spawn.ErrProtocol.
func Start(ctx context.Context, n *host.Nursery, spec Spec) (*Actor, error) {
	spec, err := spec.completed()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := channel.Pair()
	if err != nil {
		return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "actor channel", Err: err}
	}
	a := newActor(n, spec, ours)
	var program spawn.Spec
	if err = a.reserveSocket(n); err == nil {
		err = a.checkSize()
	}
	if err == nil {
		program, err = a.program(theirs)
	}
	if err != nil {
		theirs.Close()
		ours.End(err)
		return nil, err
	}
	if spec.Channel != nil {
		spec.Channel(ours)
	}
	a.child, err = n.Start(ctx, host.ChildConfig{
		Name: spec.Name, Spec: program, Method: spec.Method, Stop: a.stopOptions(),
		Ready: a.ready, Ended: a.ended,
	})
	a.closeTheirs()
	if err != nil {
		a.abandon(err)
		return nil, err
	}
	close(a.member)
	return a, nil
}

// Run opens a host, calls body with a nursery of it, and closes the host: what a
// root does, and an actor that has actors of its own. It returns the nursery's
// error, joined with that of closing the host.
func Run(ctx context.Context, cfg host.Config, ncfg host.NurseryConfig, body func(context.Context, *host.Nursery) error) error {
	h, err := host.Open(cfg)
	if err != nil {
		return err
	}
	err = h.Nursery(ctx, ncfg, body)
	if cerr := h.Close(); cerr != nil {
		err = errors.Join(err, cerr)
	}
	return err
}

// program returns the process to start, with the child's end of the channel and
// of its standard error. The actor owns both from then on.
func (a *Actor) program(theirs *os.File) (spawn.Spec, error) {
	p := a.spec.Program
	p.Files = slices.Clone(p.Files)
	for len(p.Files) < 3 {
		p.Files = append(p.Files, nil)
	}
	if p.Files[2] == nil {
		r, w, err := os.Pipe()
		if err != nil {
			return p, &spawn.Error{Phase: spawn.PhaseStart, Op: "pipe", Err: err}
		}
		a.stderr = tail.New(r, tailSize, a.spec.Stderr)
		a.theirs = append(a.theirs, w)
		p.Files[2] = w
	}
	env := p.Env
	if env == nil {
		env = os.Environ()
	}
	number := len(p.Files)
	p.Files = append(p.Files, theirs)
	a.theirs = append(a.theirs, theirs)
	p.Env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, channel.Variable+"=") })
	p.Env = append(p.Env, channel.Variable+"="+strconv.Itoa(number))
	return p, nil
}

func newUID() string {
	var b [16]byte
	rand.Read(b[:]) // it does not fail
	return hex.EncodeToString(b[:])
}
