//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package lane

import (
	"errors"
	"time"
)

// conn does nothing: this system does not pass descriptors over Unix sockets.
type conn struct{}

func pair() (a, b int, err error) { return -1, -1, errors.ErrUnsupported }

func streamPair() (a, b int, err error) { return pair() }

func (*conn) limitPayload(int) {}

func (*conn) open(int, Mode) error { return errors.ErrUnsupported }

func (*conn) send(*Frame) error { return errors.ErrUnsupported }

func (*conn) recv(*Frame) error { return errors.ErrUnsupported }

func (*conn) setSendDeadline(time.Time) error { return errors.ErrUnsupported }

func (*conn) shutdown() error { return errors.ErrUnsupported }

func (*conn) close() error { return errors.ErrUnsupported }

func (*conn) leftUnread() bool { return false }

func (*conn) descriptor() int { return -1 }

func (*conn) tryRecv(*Frame) error { return errors.ErrUnsupported }

func (*conn) canTry() bool { return false }

func (*conn) gateIn(bool) {}

func (*conn) trySend(*Frame) error { return errors.ErrUnsupported }
