// Package linux has the system calls that Hatchery needs and the standard
// library does not offer, one function a call: EINTR is retried, errors are
// wrapped by os.NewSyscallError and keep their errno, and there is no policy
// in any of them.
//
//	fd, err := linux.PidfdOpen(os.Getpid())
//	…
//	err = linux.PidfdSignal(fd, syscall.SIGTERM)
//
// With internal/launch it is the only importer of golang.org/x/sys/unix. On
// other systems the functions that have no counterpart return
// errors.ErrUnsupported.
package linux
