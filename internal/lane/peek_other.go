//go:build !linux

package lane

// PeekType is not had here.
func PeekType(fd int, wait bool) (typ uint8, ok bool) { return 0, false }
