//go:build linux

package linux

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// memfdSeals are the seals of a memfd whose contents are final.
const memfdSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// SealedMemfd returns a close-on-exec memfd that contains data and is sealed
// against every change: SHRINK, GROW, WRITE, SEAL. The name shows in /proc. The
// caller closes it. The error is an *os.SyscallError; ENOSYS says that there is
// no memfd here (it came with Linux 3.17).
func SealedMemfd(name string, data []byte) (int, error) {
	// Where vm.memfd_noexec is 2, only a memfd that cannot be executed is
	// allowed.
	return sealedMemfd(name, data, unix.MFD_NOEXEC_SEAL)
}

// ProgramMemfd is SealedMemfd for a program to be executed. It fails with EACCES
// where vm.memfd_noexec is 2.
func ProgramMemfd(name string, program []byte) (int, error) {
	return sealedMemfd(name, program, unix.MFD_EXEC)
}

// sealedMemfd makes a memfd with a flag that is unknown before Linux 6.3.
func sealedMemfd(name string, data []byte, flag int) (int, error) {
	flags := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|flag)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return -1, os.NewSyscallError("memfd_create", err)
	}
	if err := fillAndSeal(fd, data); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func fillAndSeal(fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("write", err)
		}
		data = data[max(n, 0):]
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, memfdSeals)
	return os.NewSyscallError("fcntl", err)
}

// CheckSealed reports, as an error, why fd is not a memfd of size bytes that
// carries the seals of SealedMemfd. It reads nothing and never waits, whatever fd
// is. After it returned nil, reading size bytes of fd yields the same for ever.
func CheckSealed(fd int, size int64) error {
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return fmt.Errorf("not a memfd: %w", os.NewSyscallError("fcntl", err))
	}
	if seals&memfdSeals != memfdSeals {
		return fmt.Errorf("memfd has seals %#x, needs %#x", seals, memfdSeals)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size != size {
		return fmt.Errorf("memfd of %d bytes, announced were %d", st.Size, size)
	}
	return nil
}
