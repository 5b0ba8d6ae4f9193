package discovery

import (
	"crypto/tls"
	"fmt"
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// Limits.
const (
	// MeetTime is what somebody at an address has to accept a connection and to
	// say who he is.
	MeetTime = 2 * time.Second

	// MaxStrangers is how many connections to one address of an actor have not
	// shown a certificate yet. More are closed at once. A stranger has 10 s.
	MaxStrangers = 1024

	// MaxEntries is how many actors a registrar knows. More are refused.
	MaxEntries = 100_000

	// maxName and maxUID are in bytes, maxAddrs is of one actor.
	maxName  = 255
	maxUID   = 64
	maxAddrs = 16
)

// A Config says how an actor finds others, and is found. The zero value is enough
// for [Dial] and [Probe] on this host.
type Config struct {
	// Registrar are the addresses at which registrars may be. One that is there
	// is enough.
	Registrar []address.Addr

	// TLS is used for every TCP connection, by both sides: each shows the other
	// a certificate (Certificates), which the other checks against RootCAs or
	// ClientCAs. Nil allows TCP on loopback alone, between processes of one user.
	// Only TLS 1.3 is spoken.
	TLS *tls.Config

	// Portal is how the portals are that Query, Wait and Dial return: Name,
	// Errors, MaxMessage. In Join and Listen it is what the actor serves.
	Portal portal.Config

	// Host tells this host from others: Unix sockets of another are not tried.
	// Empty is the identity of the running system.
	Host string
}

// ConfigOf returns the Config of an actor, with the registrar that it was told of.
func ConfigOf(a *actor.Actor) (Config, error) {
	addrs, err := address.ParseAll(a.Registrar...)
	if err != nil {
		return Config{}, fmt.Errorf("registrar of actor %q: %w", a.Name, err)
	}
	return Config{Registrar: addrs, Portal: portal.Config{Actor: a}}, nil
}

func (c Config) completed() Config {
	if c.Host == "" {
		if c.Host = linux.BootID(); c.Host == "" {
			c.Host, _ = os.Hostname()
		}
	}
	return c
}
