package wire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// A plugin that opens the plan lane with a hello in JSON has everything on the
// lane, in JSON: the messages of the protocol in the JSON mapping that protobuf
// defines for every message, so that there is one vocabulary. It has no control
// connection. This file is the one place where it is translated: what lies
// behind it is checked as if it had come in protobuf.

// maxJSON is the size of the largest payload in JSON that is taken from a
// plugin, in bytes.
const maxJSON = 1 << 20

// inJSON reports whether the payload of a hello is JSON. In protobuf no message
// begins with this byte: it would open a group.
func inJSON(payload []byte) bool { return len(payload) > 0 && payload[0] == '{' }

// toJSON returns the payload of a frame of the host as JSON. What has none
// stays empty.
func toJSON(typ uint8, payload []byte) ([]byte, error) {
	m := messageOf(typ)
	if m == nil {
		return payload, nil
	}
	if err := proto.Unmarshal(payload, m); err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
}

// fromJSON returns the payload of a frame of a plugin as protobuf. Fields that
// are not known are passed over, as they are there.
func fromJSON(typ uint8, payload []byte) ([]byte, error) {
	m := messageOf(typ)
	if m == nil || len(payload) == 0 {
		return nil, nil
	}
	if len(payload) > maxJSON {
		return nil, fmt.Errorf("%d bytes of JSON: at most %d", len(payload), maxJSON)
	}
	if !inJSON(payload) {
		return nil, errors.New("it is no JSON object, as the plugin's hello was")
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(payload, m); err != nil {
		// Its texts begin with "proto:" and a space of one kind or another.
		text := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), "\u00a0 ")
		return nil, errors.New("JSON: " + text)
	}
	return proto.Marshal(m)
}

// messageOf returns an empty message of the kind that a frame has, or nil.
func messageOf(typ uint8) proto.Message {
	switch typ {
	case lanePlan, laneSpawn:
		return new(spawnv1.Spec)
	case lanePlanned:
		return new(spawnv1.Plan)
	case laneExited:
		return new(spawnv1.ExitStatus)
	case laneSignal:
		return new(spawnv1.Signal)
	case laneFailed:
		return new(spawnv1.Error)
	case laneHello:
		return new(spawnv1.DescribeResponse)
	}
	return nil
}
