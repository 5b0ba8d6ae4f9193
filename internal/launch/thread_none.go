//go:build !unix

package launch

import "github.com/hatchery-spawn/hatchery/spawn"

const cloneFlags = 0

// A Thread launches nothing on this system.
type Thread struct{ Progress }

// NewThread returns an error of kind spawn.ErrUnavailable.
func NewThread() (*Thread, error) {
	return nil, &spawn.Error{Kind: spawn.ErrUnavailable, Phase: spawn.PhaseStart, Msg: "there is no keeper for this system yet"}
}

// Close does nothing.
func (t *Thread) Close() error { return nil }

// Done does nothing.
func (t *Thread) Done() {}

// Probe does nothing.
func (t *Thread) Probe() (pid int, err error) { return 0, nil }

// Launch returns an error of kind spawn.ErrUnavailable.
func (t *Thread) Launch(r *Request) (Child, error) {
	_, err := NewThread()
	return Child{Pidfd: -1}, err
}
