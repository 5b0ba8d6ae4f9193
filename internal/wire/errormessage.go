package wire

import (
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/protobuf/proto"
)

// errorMessage returns e as the generated message, for the answer that has an
// error as a field. Identifiers that are not UTF-8, which none should be, are
// repaired, as the message could not be sent otherwise.
func errorMessage(e *spawn.Error) *spawnv1.Error {
	text := func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
	c := *e
	c.Key, c.Phase, c.Op = text(e.Key), spawn.Phase(text(string(e.Phase))), text(e.Op)
	if b := e.Blocked; b != nil {
		c.Blocked = &spawn.Blocked{Reason: b.Reason, Alternative: text(b.Alternative), Analysis: text(b.Analysis), Scenario: text(b.Scenario)}
	}
	data, _ := c.AppendBinary(nil) // never fails
	m := new(spawnv1.Error)
	if err := proto.Unmarshal(data, m); err != nil {
		panic("bug: package spawn and spawnv1 disagree: " + err.Error())
	}
	return m
}

// errorOf is the way back.
func errorOf(m *spawnv1.Error) (*spawn.Error, error) {
	data, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	e := new(spawn.Error)
	if err := e.UnmarshalBinary(data); err != nil {
		return nil, err
	}
	return e, nil
}
