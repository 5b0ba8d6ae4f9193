//go:build linux && !386

package lane

import "syscall"

const (
	sysSendmsg = syscall.SYS_SENDMSG
	sysRecvmsg = syscall.SYS_RECVMSG
)
