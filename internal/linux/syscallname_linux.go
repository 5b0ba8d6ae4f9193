package linux

import "golang.org/x/sys/unix"

// SyscallName returns the name of a system call in which processes wait, or
// "" for any other.
func SyscallName(number int) string {
	switch number {
	case unix.SYS_READ:
		return "read"
	case unix.SYS_WRITE:
		return "write"
	case unix.SYS_READV:
		return "readv"
	case unix.SYS_WRITEV:
		return "writev"
	case unix.SYS_OPENAT:
		return "openat"
	case unix.SYS_PPOLL:
		return "ppoll"
	case unix.SYS_PSELECT6:
		return "pselect6"
	case unix.SYS_EPOLL_PWAIT:
		return "epoll_pwait"
	case unix.SYS_FUTEX:
		return "futex"
	case unix.SYS_WAIT4:
		return "wait4"
	case unix.SYS_WAITID:
		return "waitid"
	case unix.SYS_NANOSLEEP:
		return "nanosleep"
	case unix.SYS_CLOCK_NANOSLEEP:
		return "clock_nanosleep"
	case unix.SYS_RECVMSG:
		return "recvmsg"
	case unix.SYS_RECVFROM:
		return "recvfrom"
	case unix.SYS_SENDMSG:
		return "sendmsg"
	case unix.SYS_SENDTO:
		return "sendto"
	case unix.SYS_ACCEPT4:
		return "accept4"
	case unix.SYS_CONNECT:
		return "connect"
	case unix.SYS_FLOCK:
		return "flock"
	case unix.SYS_FCNTL:
		return "fcntl"
	case unix.SYS_FSYNC:
		return "fsync"
	case unix.SYS_CLONE:
		return "clone"
	case unix.SYS_CLONE3:
		return "clone3"
	case unix.SYS_EXECVE:
		return "execve"
	case unix.SYS_EXECVEAT:
		return "execveat"
	case unix.SYS_RT_SIGTIMEDWAIT:
		return "rt_sigtimedwait"
	case unix.SYS_RT_SIGSUSPEND:
		return "rt_sigsuspend"
	case unix.SYS_RESTART_SYSCALL:
		return "restart_syscall"
	case unix.SYS_IO_URING_ENTER:
		return "io_uring_enter"
	}
	return oldSyscallName(number)
}
