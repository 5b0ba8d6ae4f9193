//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package lane

import (
	"os"
	"syscall"
)

// scmPidfd: there is no such control message.
const scmPidfd = -1

// pair returns streams: without a memfd, a large payload needs one.
func pair() (a, b int, err error) { return streamPair() }

func streamPair() (a, b int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return fds[0], fds[1], nil
}

// sendmsg sends head and as much of body as fits behind it.
func sendmsg(fd int, head, body, oob []byte) (int, error) {
	if len(body) > 0 {
		head = append(head, body[:min(len(body), cap(head)-len(head))]...)
	}
	for {
		n, err := syscall.SendmsgN(fd, head, oob, nil, sendFlags)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
