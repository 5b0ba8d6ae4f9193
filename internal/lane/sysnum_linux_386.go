package lane

// Package syscall goes through socketcall here; since Linux 4.3 there are these.
const (
	sysSendmsg = 370
	sysRecvmsg = 372
)
