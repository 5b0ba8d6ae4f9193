//go:build unix && !linux

package lane

import "time"

// gate is not there on this system: mode Gated is mode Polled.
type gate struct{}

func (*gate) open()                            {}
func (*gate) shut()                            {}
func (*gate) close()                           {}
func (*gate) wait(func(fd uintptr) bool) error { return nil }
func (*gate) setDeadline(time.Time) error      { return nil }

func (c *conn) openGates() error { return nil }

const gates = false
