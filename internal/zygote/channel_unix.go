//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package zygote

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	headSize = 4
	// maxPayload is more than execve(2) takes of arguments and environment.
	maxPayload = 16 << 20
	// maxFDs is what the kernel passes in one message.
	maxFDs = 253
	// firstRead is what most frames need.
	firstRead = 4 << 10
)

// A Channel is one end of a stream socket. It is for one goroutine at a time,
// but for Shutdown. It waits in the system call: nothing here is of the
// runtime's poller, which has descriptors of its own.
type Channel struct{ fd int }

// Pair returns two connected sockets, close-on-exec, the caller's to close.
func Pair() (a, b int, err error) {
	fds, err := pair()
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	return fds[0], fds[1], nil
}

// Open makes a channel of a socket, which it owns from then on.
func Open(fd int) *Channel { return &Channel{fd: fd} }

// Inherit makes a channel of the descriptor whose number is the value of
// [Variable], and sets close-on-exec on it.
func Inherit(value string) (*Channel, error) {
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 0 {
		return nil, errors.New("want the number of a descriptor")
	}
	kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	if err != nil || kind != syscall.SOCK_STREAM {
		return nil, errors.New("it is no stream socket")
	}
	syscall.CloseOnExec(fd)
	return Open(fd), nil
}

// FD returns the descriptor, which stays the channel's.
func (c *Channel) FD() int { return c.fd }

// Close closes the socket.
func (c *Channel) Close() error { return syscall.Close(c.fd) }

// Shutdown ends the channel for both ends, and whatever waits in it.
func (c *Channel) Shutdown() { syscall.Shutdown(c.fd, syscall.SHUT_RDWR) }

// Deadline bounds Send and Recv from now on: each system call in them waits no
// longer than d. Both fail with EAGAIN then, and the channel is of no use any
// more.
func (c *Channel) Deadline(d time.Duration) {
	tv := syscall.NsecToTimeval(max(d, time.Millisecond).Nanoseconds())
	syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv)
	syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &tv)
}

// Send sends a frame of fields, which have no NUL bytes in them, with
// descriptors, which stay the caller's.
func (c *Channel) Send(fds []int, fields ...string) error {
	size := len(fields) - 1
	for _, f := range fields {
		size += len(f)
	}
	b := make([]byte, headSize, headSize+size)
	binary.LittleEndian.PutUint32(b, uint32(size))
	for i, f := range fields {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, f...)
	}
	var oob []byte
	if len(fds) > 0 {
		oob = syscall.UnixRights(fds...)
	}
	for len(b) > 0 {
		n, err := syscall.SendmsgN(c.fd, b, oob, nil, noSignal)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return os.NewSyscallError("sendmsg", err)
		}
		b, oob = b[n:], nil
	}
	return nil
}

// Recv receives a frame. The descriptors, close-on-exec, are the caller's to
// close, also those that come with an error. It is io.EOF when the channel ended
// where a frame would have begun.
func (c *Channel) Recv() (fields []string, fds []int, err error) { return c.recv(false) }

// RecvLast is Recv for the last frame that is to come, which takes a system call
// less. More behind it is ErrFrame.
func (c *Channel) RecvLast() (fields []string, fds []int, err error) { return c.recv(true) }

func (c *Channel) recv(last bool) (fields []string, fds []int, err error) {
	b := make([]byte, 0, firstRead)
	size := headSize // of what is to be read
	for len(b) < size {
		// No further than the frame: descriptors come with the first byte of one.
		room := size - len(b)
		if last && len(b) == 0 {
			room = cap(b)
		}
		if cap(b)-len(b) < room {
			b = append(make([]byte, 0, min(size, max(2*cap(b), firstRead))), b...)
			room = min(room, cap(b)-len(b))
		}
		n, more, rerr := c.read(b[len(b):len(b)+room], len(b) == 0)
		fds = append(fds, more...)
		if rerr != nil {
			return nil, fds, rerr
		}
		if n == 0 {
			if len(b) == 0 {
				return nil, fds, io.EOF
			}
			return nil, fds, io.ErrUnexpectedEOF
		}
		b = b[:len(b)+n]
		if size == headSize && len(b) >= headSize {
			length := binary.LittleEndian.Uint32(b)
			if length == 0 || length > maxPayload {
				return nil, fds, ErrFrame
			}
			size += int(length)
		}
	}
	if len(b) > size {
		return nil, fds, ErrFrame
	}
	return strings.Split(string(b[headSize:]), "\x00"), fds, nil
}

// read reads what there is, and with rights the descriptors that come with it.
func (c *Channel) read(p []byte, rights bool) (n int, fds []int, err error) {
	var oob []byte
	if rights {
		oob = make([]byte, syscall.CmsgSpace(4*maxFDs))
	}
	for {
		var oobn int
		n, oobn, _, _, err = syscall.Recvmsg(c.fd, p, oob, recvFlags)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, nil, os.NewSyscallError("recvmsg", err)
		case oobn == 0:
			return n, nil, nil
		}
		msgs, err := syscall.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			return n, nil, ErrFrame
		}
		for i := range msgs {
			got, rerr := syscall.ParseUnixRights(&msgs[i])
			if rerr == nil {
				fds = append(fds, got...)
			}
		}
		closeOnExec(fds)
		return n, fds, nil
	}
}
