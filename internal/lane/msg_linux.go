package lane

import (
	"os"
	"syscall"
	"unsafe"
)

// scmPidfd is the control message SCM_PIDFD, which carries a descriptor too. It
// comes to sockets that set SO_PASSPIDFD.
const scmPidfd = 4

func pair() (a, b int, err error) { return socketpair(syscall.SOCK_SEQPACKET) }

func streamPair() (a, b int, err error) { return socketpair(syscall.SOCK_STREAM) }

func socketpair(kind int) (a, b int, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	return fds[0], fds[1], nil
}

// sendmsg gathers head and body. It is syscall.SendmsgN with two buffers.
func sendmsg(fd int, head, body, oob []byte) (int, error) {
	iov := [2]syscall.Iovec{{Base: unsafe.SliceData(head)}, {Base: unsafe.SliceData(body)}}
	iov[0].SetLen(len(head))
	iov[1].SetLen(len(body))
	var msg syscall.Msghdr
	msg.Iov = &iov[0]
	setCount(&msg.Iovlen, len(iov))
	if len(oob) > 0 {
		msg.Control = &oob[0]
		msg.SetControllen(len(oob))
	}
	for {
		n, _, errno := syscall.Syscall(sysSendmsg, uintptr(fd), uintptr(unsafe.Pointer(&msg)), syscall.MSG_NOSIGNAL)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// recvmsg is syscall.Recvmsg without the sender's address. It waits as the
// descriptor's mode says; where that is not to wait, wait is false, and the
// runtime need not know.
func recvmsg(fd int, p, oob []byte, wait bool) received {
	iov := syscall.Iovec{Base: unsafe.SliceData(p)}
	iov.SetLen(len(p))
	var msg syscall.Msghdr
	msg.Iov = &iov
	setCount(&msg.Iovlen, 1)
	if len(oob) > 0 {
		msg.Control = &oob[0]
	}
	for {
		msg.SetControllen(len(oob)) // in and out
		var n uintptr
		var errno syscall.Errno
		if wait {
			n, _, errno = syscall.Syscall(sysRecvmsg, uintptr(fd), uintptr(unsafe.Pointer(&msg)), syscall.MSG_CMSG_CLOEXEC)
		} else {
			n, _, errno = syscall.RawSyscall(sysRecvmsg, uintptr(fd), uintptr(unsafe.Pointer(&msg)), syscall.MSG_CMSG_CLOEXEC)
		}
		switch errno {
		case 0:
			r := received{n: int(n), oobn: int(msg.Controllen), flags: int(msg.Flags)}
			r.eof = r.n == 0 && r.oobn == 0 && hungUp(fd)
			return r
		case syscall.EINTR:
		default:
			return received{err: errno}
		}
	}
}

// setCount sets a field that is as wide as the architecture says.
func setCount[T uint32 | uint64](p *T, n int) { *p = T(n) }

// hungUp reports whether the peer has closed or shut down its end, to tell an
// end of file from an empty message.
func hungUp(fd int) bool {
	const pollRDHUP = 0x2000
	p := struct {
		fd      int32
		events  int16
		revents int16
	}{fd: int32(fd), events: pollRDHUP}
	var now syscall.Timespec
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
		if errno != syscall.EINTR {
			return errno != 0 || p.revents != 0
		}
	}
}

// ignoreSIGPIPE has nothing to do where MSG_NOSIGNAL does it.
func ignoreSIGPIPE(int) error { return nil }
