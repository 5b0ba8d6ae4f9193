//go:build linux && !amd64

package linux

// oldSyscallName knows none: they are those of amd64 alone.
func oldSyscallName(number int) string { return "" }
