package host

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// StartDetached starts the child so that it outlives the host: see
// Host.StartDetached. Stdin, Stdout and Stderr must be nil or an *os.File that is no
// pipe and no terminal: to copy what the child writes, or reads, this process would have to
// be there. Spec and Method count as they do for Start; the context of
// CommandContext bounds the start alone, and Cancel and WaitDelay mean nothing. The
// Cmd cannot be used any more.
func (c *Cmd) StartDetached(o DetachOptions) (*Detached, error) {
	if c.started {
		return nil, errors.New("hatchery: already started")
	}
	c.started = true
	defer c.io().abandon()
	if c.Err != nil {
		return nil, c.Err
	}
	spec := c.Spec
	spec.Files = make([]*os.File, 3, 3+len(c.ExtraFiles))
	for i, v := range [...]any{c.Stdin, c.Stdout, c.Stderr} {
		f, ok := v.(*os.File)
		if v != nil && !ok {
			name := [...]string{"Stdin", "Stdout", "Stderr"}[i]
			return nil, fmt.Errorf("hatchery: %s is a %T: that of a detached child is an *os.File, or nil for /dev/null: nobody could copy once this program has ended", name, v)
		}
		spec.Files[i] = f
	}
	spec.Files = append(spec.Files, c.ExtraFiles...)
	spec.Path, spec.Args, spec.Env, spec.Dir = c.Path, c.Args, c.environ(), c.Dir
	if o.Method == "" {
		o.Method = c.Method
	}
	ctx := c.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	return c.host.StartDetached(ctx, spec, o)
}
