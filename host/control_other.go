//go:build !linux

package host

// controlSocket is nothing where there is no /proc to find a host by.
type controlSocket struct{}

func listen(h *Host) *controlSocket { return nil }

func (c *controlSocket) close() {}
