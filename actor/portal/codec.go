package portal

import (
	"encoding/json"
	"fmt"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// A message is a request or an answer of a function. It is either sent or
// received.
type message struct {
	data []byte // to be sent
	into any    // a pointer, for what is received
	err  error  // why it could not be decoded
}

// outgoing encodes v, a message of at most limit bytes.
func outgoing(v any, limit int) (*message, error) {
	m := &message{}
	if raw, ok := v.([]byte); ok {
		m.data = raw
	} else {
		var err error
		if m.data, err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	if len(m.data) > limit {
		return nil, tooLong(fmt.Sprintf("a message of %d bytes, at most %d", len(m.data), limit))
	}
	return m, nil
}

func tooLong(msg string) error {
	return &spawn.Error{Phase: spawn.PhaseRun, Op: "message", Errno: syscall.EMSGSIZE, Msg: msg}
}

// decode decodes what was received.
func (m *message) decode(data mem.BufferSlice) error {
	if raw, ok := m.into.(*[]byte); ok {
		*raw = data.Materialize()
		return nil
	}
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	return json.Unmarshal(buf.ReadOnlyData(), m.into)
}

// A codec is grpc's for protocol buffers, and that of our messages. It is given to
// each connection, as grpc's own register belongs to the whole program.
type codec struct{}

var _ encoding.CodecV2 = codec{}

// Name is what the content type says of generated services.
func (codec) Name() string { return proto.Name }

// Marshal encodes v.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*message); ok {
		return mem.BufferSlice{mem.SliceBuffer(m.data)}, nil
	}
	return encoding.GetCodecV2(proto.Name).Marshal(v)
}

// Unmarshal decodes into v. A message notes by itself what is wrong: grpc would
// flatten it.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(*message); ok {
		m.err = m.decode(data)
		return nil
	}
	return encoding.GetCodecV2(proto.Name).Unmarshal(data, v)
}
