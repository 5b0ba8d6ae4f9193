package discovery

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// What goes wrong, beside what package portal and the system say.
var (
	// ErrNotFound: no actor of that name is registered.
	ErrNotFound = errors.New("no actor of that name is registered")
	// ErrNobody: nobody listens at an address.
	ErrNobody = errors.New("nobody listens there")
	// ErrOccupied: somebody listens at an address who is not who was looked
	// for: a program that is no actor, an actor that is stuck, another actor.
	ErrOccupied = errors.New("occupied but did not answer")
	// ErrNoRegistrar: none of the registrar's addresses has one.
	ErrNoRegistrar = errors.New("no registrar answers")
	// ErrForeignUser: the process at the other end of a connection is another
	// user's.
	ErrForeignUser = errors.New("the other end belongs to another user")
	// ErrNoTLS: a TCP address that is not loopback, without Config.TLS.
	ErrNoTLS = errors.New("TCP beyond this host is off: it needs Config.TLS, with a certificate for each side")
)

// Errors are the errors of this package and of address, for an [actor.Program] or
// a portal that hands them on.
func Errors() actor.Errors {
	return actor.Errors{
		"discovery.not_found":    actor.Value(ErrNotFound),
		"discovery.nobody":       actor.Value(ErrNobody),
		"discovery.occupied":     actor.Value(ErrOccupied),
		"discovery.no_registrar": actor.Value(ErrNoRegistrar),
		"discovery.foreign_user": actor.Value(ErrForeignUser),
		"discovery.no_tls":       actor.Value(ErrNoTLS),
		"address.none":           actor.Value(address.ErrNone),
	}
}

// at says of an error at which address it was.
func at(op string, a address.Addr, err error) error {
	return fmt.Errorf("%s %v: %w", op, a, err)
}

func invalid(op, format string, args ...any) error {
	return &spawn.Error{Op: op, Errno: syscall.EINVAL, Msg: fmt.Sprintf(format, args...)}
}
