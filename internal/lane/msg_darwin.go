package lane

import (
	"os"
	"syscall"
)

// sendFlags: ignoreSIGPIPE has seen to SIGPIPE.
const sendFlags = 0

// recvmsg waits if told so. There is no flag to receive descriptors
// close-on-exec, so no fork may happen until they are; and since nobody may wait
// while holding up forks, it waits for a byte to look at first.
func recvmsg(fd int, p, oob []byte, wait bool) received {
	for {
		if wait && len(oob) > 0 {
			var b [1]byte
			_, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_PEEK)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				return received{err: err}
			}
		}
		r := recvNow(fd, p, oob, wait && len(oob) == 0)
		if r.err == syscall.EINTR || r.err == syscall.EAGAIN && wait && len(oob) > 0 {
			continue
		}
		return r
	}
}

func recvNow(fd int, p, oob []byte, wait bool) received {
	flags := syscall.MSG_DONTWAIT
	if wait {
		flags = 0
	} else {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	var r received
	r.n, r.oobn, r.flags, _, r.err = syscall.Recvmsg(fd, p, oob, flags)
	if r.err != nil {
		return r
	}
	r.eof = r.n == 0
	fds, _ := appendRights(nil, oob[:r.oobn])
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
	return r
}

// ignoreSIGPIPE makes a send to a dead peer an error only.
func ignoreSIGPIPE(fd int) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_NOSIGPIPE, 1))
}
