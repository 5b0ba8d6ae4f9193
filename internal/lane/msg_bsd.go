//go:build freebsd || netbsd || openbsd || dragonfly

package lane

import "syscall"

// sendFlags: no SIGPIPE.
const sendFlags = syscall.MSG_NOSIGNAL

// recvmsg receives descriptors close-on-exec. It waits as the descriptor's mode
// says.
func recvmsg(fd int, p, oob []byte, _ bool) received {
	for {
		var r received
		r.n, r.oobn, r.flags, _, r.err = syscall.Recvmsg(fd, p, oob, syscall.MSG_CMSG_CLOEXEC)
		if r.err != syscall.EINTR {
			r.eof = r.n == 0 && r.err == nil
			return r
		}
	}
}

// ignoreSIGPIPE has nothing to do where MSG_NOSIGNAL does it.
func ignoreSIGPIPE(int) error { return nil }
