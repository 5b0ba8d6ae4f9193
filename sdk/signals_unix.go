//go:build unix

package sdk

import (
	"os"
	"syscall"
)

// harmless lists the signals that must not end or stop a plugin.
func harmless() []os.Signal {
	return []os.Signal{
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGPIPE,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
	}
}
