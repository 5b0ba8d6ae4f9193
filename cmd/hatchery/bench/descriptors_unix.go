//go:build unix

package bench

import (
	"fmt"
	"os"
	"syscall"
)

// spareDescriptors is what the host needs beside those that are held open.
const spareDescriptors = 256

// enoughDescriptors says why n cannot be held open, if so.
func enoughDescriptors(n int) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	if uint64(l.Cur) < uint64(n+spareDescriptors) {
		return fmt.Errorf("RLIMIT_NOFILE is %d: %d would be wanted", l.Cur, n+spareDescriptors)
	}
	return nil
}

// holdDescriptors opens n descriptors and returns what closes them.
func holdDescriptors(n int) (release func(), err error) {
	if err := enoughDescriptors(n); err != nil {
		return nil, err
	}
	fds := make([]int, 0, n)
	release = func() {
		for _, fd := range fds {
			syscall.Close(fd)
		}
	}
	for range n {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			release()
			return nil, os.NewSyscallError("open", err)
		}
		fds = append(fds, fd)
	}
	return release, nil
}
