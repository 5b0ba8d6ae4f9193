package inspect

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

const esrch = syscall.ESRCH

// checkPeer reports whether the process at the other end is the one that is
// meant, and not one that has put its socket there: SO_PEERCRED in unix(7), the
// credentials of the process that called listen(2).
func checkPeer(conn net.Conn, pid int) error {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return err
	}
	var cred *syscall.Ucred
	cerr := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if cerr != nil {
		return cerr
	}
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if int(cred.Pid) != pid {
		return fmt.Errorf("its control socket belongs to process %d", cred.Pid)
	}
	return nil
}
