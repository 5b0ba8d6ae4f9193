package discovery

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// Protocol is the version of what actors and registrars say at their addresses.
const Protocol = 1

// The functions at addresses.
const (
	fnHello    = "discovery.hello"
	fnRegister = "registrar.register"
	fnFind     = "registrar.find"
	fnWait     = "registrar.wait"
	fnStale    = "registrar.stale"
)

// A greeting is what a caller says first.
type greeting struct {
	Nonce string `json:"nonce"`
}

// An Identity is who is at an address.
type Identity struct {
	Protocol  int    `json:"protocol"`
	Nonce     string `json:"nonce"` // the greeting's
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Registrar bool   `json:"registrar,omitempty"`
}

// A question is what registrars are asked.
type question struct {
	Name string `json:"name,omitempty"` // empty asks for all, where that is possible
	Wait int    `json:"wait,omitempty"` // in ms: after which an answer without entries is wanted
}

type found struct {
	Entries []Entry `json:"entries"`
}

// A suspicion is that an actor is not at an address any more.
type suspicion struct {
	UID  string `json:"uid"`
	Addr string `json:"addr"`
	Host string `json:"host,omitempty"`
}

// nothing is an answer without content.
type nothing struct{}

// identify has callers told who this is.
func identify(s *portal.Server, self Identity) {
	portal.Handle(s, fnHello, func(_ context.Context, g greeting) (Identity, error) {
		if len(g.Nonce) > maxUID {
			return Identity{}, invalid("hello", "a nonce of %d bytes: at most %d", len(g.Nonce), maxUID)
		}
		self := self
		self.Protocol, self.Nonce = Protocol, g.Nonce
		return self, nil
	})
}

func newNonce() string {
	var b [16]byte
	rand.Read(b[:]) // it does not fail
	return hex.EncodeToString(b[:])
}
