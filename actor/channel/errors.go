package channel

import (
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// ErrRefused is what a request failed with that the peer has answered, with an
// error. The error is a *[Fault] to errors.As too.
var ErrRefused = errors.New("refused by the peer")

// errEnded is why a channel ended when nobody has said why.
var errEnded = errors.New("the channel has been closed")

func protocolError(what string, err error) error {
	return &spawn.Error{Phase: spawn.PhaseRun, Op: "actor channel", Kind: spawn.ErrProtocol, Msg: what, Err: err}
}

// refusal is the error of a request that has been answered.
func refusal(t Type, f *Fault) error {
	if f == nil {
		return nil
	}
	return fmt.Errorf("actor channel: %s: %w: %w", t, ErrRefused, f)
}

// AsFault returns the plain form of an error: its text.
func asFault(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Text: err.Error()}
}
