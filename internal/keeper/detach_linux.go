package keeper

import (
	"os"
	"syscall"
)

// listenAt returns a socket that listens at path, for this user alone. It is
// close-on-exec, as all here are.
func listenAt(path string) (fd int, err error) {
	fd, err = syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = os.NewSyscallError("bind", syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	if err == nil {
		err = os.Chmod(path, 0o600) // the umask may have taken more away; the folder is private
	}
	if err == nil {
		err = os.NewSyscallError("listen", syscall.Listen(fd, maxAdopters))
	}
	if err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

func acceptFrom(listener int) (fd int, err error) {
	fd, _, err = syscall.Accept4(listener, syscall.SOCK_CLOEXEC)
	return fd, os.NewSyscallError("accept4", err)
}

// connectTo does not wait: it is EAGAIN when the listener has not taken those
// who came before, as many as it has room for.
func connectTo(path string) (fd int, err error) {
	fd, err = syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		syscall.Close(fd)
		return -1, &os.PathError{Op: "connect", Path: path, Err: err}
	}
	return fd, nil
}

// peerOf returns who is at the other end: SO_PEERCRED in unix(7), as it was when
// the other called connect(2) or listen(2).
func peerOf(fd int) (pid, uid int, err error) {
	cred, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return 0, 0, os.NewSyscallError("getsockopt", err)
	}
	return int(cred.Pid), int(cred.Uid), nil
}
