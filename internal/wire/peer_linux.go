package wire

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// checkPeer reports whether the process that listens at the other end of conn
// is pid and runs under the user of this process: SO_PEERCRED in unix(7), the
// credentials of the process that called listen(2).
func checkPeer(conn net.Conn, pid int) error {
	uc, ok := conn.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("the plugin listens on %s: want a unix socket", conn.RemoteAddr().Network())
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return err
	}
	var cred *syscall.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if credErr != nil {
		return os.NewSyscallError("getsockopt SO_PEERCRED", credErr)
	}
	if int(cred.Pid) != pid || int(cred.Uid) != os.Geteuid() {
		return fmt.Errorf("the control socket belongs to process %d of user %d: want process %d of user %d",
			cred.Pid, cred.Uid, pid, os.Geteuid())
	}
	return nil
}
