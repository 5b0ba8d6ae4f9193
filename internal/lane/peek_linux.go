package lane

import "syscall"

// PeekType returns the type of the next frame on fd, a lane of SOCK_SEQPACKET,
// and leaves the frame there for whoever receives it. It waits for one if wait
// is set, and is 0, false at the end of the lane or when there is none: nor does
// it tell what is no frame.
func PeekType(fd int, wait bool) (typ uint8, ok bool) {
	flags := syscall.MSG_PEEK
	if !wait {
		flags |= syscall.MSG_DONTWAIT
	}
	for {
		var head [headerSize]byte
		n, _, err := syscall.Recvfrom(fd, head[:], flags)
		if err == syscall.EINTR {
			continue
		}
		return head[0], err == nil && n == headerSize
	}
}
