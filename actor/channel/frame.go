package channel

import (
	"encoding/json"
	"strconv"
	"time"
)

// Version is the version of the protocol. It grows when a frame changes its
// meaning, not when a frame or a field is added.
const Version = 1

// Variable is the environment variable that tells a child which descriptor its
// end of the channel is, in decimal.
const Variable = "HATCHERY_ACTOR_CHANNEL"

// Values of Spawn.SIGINT.
const (
	SIGINTParent = "parent" // the child leaves SIGINT to its parent, as long as that lives
	SIGINTSelf   = "self"   // the child cancels itself
)

// Limits of the channel.
const (
	// MaxPayload is the longest payload of a frame, in bytes.
	MaxPayload = 1 << 20
	// SendTime is what the peer has to read a frame; then the channel is shut
	// down.
	SendTime = 2 * time.Second
)

// A Type says what a frame is.
type Type uint8

// The types of frames. Cancel and Connect are requests, which Answer answers.
const (
	TypeHello   Type = 1 // child: Hello, the first frame
	TypeSpawn   Type = 2 // parent: Spawn, once, perhaps before Hello
	TypeStarted Type = 3 // child: Started
	TypeCancel  Type = 4 // parent: Cancel
	TypeConnect Type = 5 // both: Connect, with one descriptor
	TypeAnswer  Type = 6 // both: Answer, with the id of the request
	TypeEnded   Type = 7 // child: Ended, the last frame
)

// String returns the name of the type.
func (t Type) String() string {
	switch t {
	case TypeHello:
		return "hello"
	case TypeSpawn:
		return "spawn"
	case TypeStarted:
		return "started"
	case TypeCancel:
		return "cancel"
	case TypeConnect:
		return "connect"
	case TypeAnswer:
		return "answer"
	case TypeEnded:
		return "ended"
	}
	return "type " + strconv.Itoa(int(t))
}

// Hello is what a child says first.
type Hello struct {
	Version int `json:"version"`
	Pid     int `json:"pid,omitempty"` // as the child sees it
}

// encode encodes a payload. Package json takes longer for its first type than
// all else that an actor does until it has started, so what every actor says then
// does without.
func encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case Hello:
		b := strconv.AppendInt([]byte(`{"version":`), int64(v.Version), 10)
		b = strconv.AppendInt(append(b, `,"pid":`...), int64(v.Pid), 10)
		return append(b, '}'), nil
	case Started:
		if len(v.Addresses) == 0 {
			return []byte("{}"), nil
		}
	}
	return json.Marshal(v)
}

// Spawn tells a child what it is to be.
type Spawn struct {
	Name      string            `json:"name"`
	UID       string            `json:"uid"`
	Parent    Peer              `json:"parent"`
	Registrar []string          `json:"registrar,omitempty"` // addresses of the registrar
	Bind      []string          `json:"bind,omitempty"`      // where to listen
	Socket    string            `json:"socket,omitempty"`    // a path for a socket of its own, which the parent removes
	Variables map[string]string `json:"variables,omitempty"` // passed on to its own children
	Entry     string            `json:"entry"`
	Args      []string          `json:"args,omitempty"`
	SIGINT    string            `json:"sigint,omitempty"` // empty is SIGINTParent
}

// A Peer names an actor, or a program that is none and has children that are.
type Peer struct {
	Name string `json:"name"`
	UID  string `json:"uid,omitempty"`
	Pid  int    `json:"pid,omitempty"`
}

// Started says that a child is ready, and where it can be reached.
type Started struct {
	Addresses []string `json:"addresses,omitempty"`
}

// Cancel asks a child to end. It is answered as soon as it has been heard.
type Cancel struct {
	By     string `json:"by,omitempty"`     // who asked first, which need not be the parent
	Reason string `json:"reason,omitempty"` // in words
}

// Connect hands over one end of a connection, for a service by name.
type Connect struct {
	Service string `json:"service"`
}

// Answer answers a request.
type Answer struct {
	Error *Fault `json:"error,omitempty"` // nil when what was asked for has been done
}

// Ended is a child's last word: how its entry point ended.
type Ended struct {
	Error    *Fault          `json:"error,omitempty"`
	Canceled bool            `json:"canceled,omitempty"` // Error is nothing but what a Cancel or a signal asked for
	Result   json.RawMessage `json:"result,omitempty"`
}

// A Message is a frame that was received, but for answers and connections,
// which the Channel deals with itself.
type Message struct {
	Type    Type
	ID      uint64 // of a request, not 0: Serve answers it
	Payload []byte // JSON; valid until the function that was given it returns

	// Then, if the function that was given the message sets it, is called when
	// the message has been answered, if it is a request.
	Then func()

	fds []int // that came along; Serve closes them, but for those set to -1
}

// Decode decodes the payload into v.
func (m *Message) Decode(v any) error {
	if err := json.Unmarshal(m.Payload, v); err != nil {
		return protocolError(m.Type.String()+" frame", err)
	}
	return nil
}
