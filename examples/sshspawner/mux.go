package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// What is said on the control socket of an ssh(1) that holds a connection: version
// 4 of the protocol in PROTOCOL.mux of OpenSSH, which it has spoken since 5.4. A
// packet is its length and a body, whose numbers have four bytes, the highest first.
const (
	muxVersion = 4
	muxHello   = 0x00000001

	muxNewSession = 0x10000002

	muxPermissionDenied = 0x80000002
	muxFailure          = 0x80000003
	muxExit             = 0x80000004
	muxSessionOpened    = 0x80000006
)

// A session is one program that runs at the other end of a connection.
type session struct {
	conn net.Conn
}

// errRefused is what openSession fails with, wrapped, when the other side has
// enough sessions.
var errRefused = errors.New("the session was refused")

// openSession has the ssh at a control socket run a command, with three files for
// its descriptors 0, 1 and 2. They may be closed afterwards. ssh makes them
// non-blocking while it uses them, if they are no terminals.
func openSession(ctx context.Context, control, command string, files [3]*os.File) (*session, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", control)
	if err != nil {
		return nil, fmt.Errorf("the control socket of ssh: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	s := &session{conn: conn}
	if err := s.open(command, files); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return s, nil
}

func (s *session) open(command string, files [3]*os.File) error {
	s.send(muxHello, muxVersion)
	if err := s.send(muxNewSession,
		0, "", // the number of the request; reserved
		0, 0, 0, 0, // no terminal, no X11, no agent, no subsystem
		0xffffffff, "", command); err != nil { // no escape character, no name of a terminal
		return err
	}
	for _, f := range files {
		rights := syscall.UnixRights(int(f.Fd()))
		if _, _, err := s.conn.(*net.UnixConn).WriteMsgUnix([]byte{0}, rights, nil); err != nil {
			return fmt.Errorf("passing a descriptor to ssh: %w", err)
		}
	}
	for {
		kind, body, err := s.receive()
		switch {
		case err != nil:
			return fmt.Errorf("ssh did not open a session: %w", err)
		case kind == muxHello && binary.BigEndian.Uint32(body) != muxVersion:
			return fmt.Errorf("ssh speaks version %d on its control socket: want %d", binary.BigEndian.Uint32(body), muxVersion)
		case kind == muxFailure || kind == muxPermissionDenied:
			return fmt.Errorf("%w: %s", errRefused, text(body[4:]))
		case kind == muxSessionOpened:
			return nil
		}
	}
}

// wait returns when the session is over and all of its output has been delivered,
// or the connection is gone. The code is what ssh would exit with, or -1 if the other
// side has not told one.
func (s *session) wait() (code int) {
	code = -1
	for {
		kind, body, err := s.receive()
		if err != nil {
			return code
		}
		if kind == muxExit && len(body) >= 8 {
			code = int(binary.BigEndian.Uint32(body[4:]))
		}
	}
}

// close gives the session up: ssh closes it, and the files.
func (s *session) close() { s.conn.Close() }

// send sends a packet of numbers and strings.
func (s *session) send(parts ...any) error {
	body := make([]byte, 4)
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			body = binary.BigEndian.AppendUint32(body, uint32(p))
		case string:
			body = append(binary.BigEndian.AppendUint32(body, uint32(len(p))), p...)
		}
	}
	binary.BigEndian.PutUint32(body, uint32(len(body)-4))
	_, err := s.conn.Write(body)
	return err
}

// maxPacket is more than ssh has to say.
const maxPacket = 64 << 10

func (s *session) receive() (kind uint32, body []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.conn, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[:4])
	if n < 8 || n > maxPacket {
		return 0, nil, fmt.Errorf("a packet of %d bytes on its control socket", n)
	}
	body = make([]byte, n-4)
	_, err = io.ReadFull(s.conn, body)
	return binary.BigEndian.Uint32(head[4:]), body, err
}

// text returns the string that a body begins with.
func text(body []byte) string {
	if len(body) < 4 || int(binary.BigEndian.Uint32(body)) > len(body)-4 {
		return "no reason given"
	}
	return string(body[4 : 4+binary.BigEndian.Uint32(body)])
}
