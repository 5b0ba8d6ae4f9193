package linux

import (
	"os"

	"golang.org/x/sys/unix"
)

// OwnProgram is this process's program, also when its file has been replaced or
// removed, proc_pid_exe(5).
const OwnProgram = "/proc/self/exe"

// ProgramWritable reports whether a process with the user ids of this one, and with this
// one's capabilities or none, could change the file of this one's program through
// /proc/PID/exe, were that all of this process that it could see. It could not if the
// file lies on a read-only mount, belongs to somebody else who lets it change nothing,
// or has no name any more, so that nobody will execute it again.
func ProgramWritable() bool {
	var st unix.Stat_t
	if unix.Stat(OwnProgram, &st) != nil || st.Nlink == 0 {
		return false // without /proc there is no such way
	}
	var fs unix.Statfs_t
	if unix.Statfs(OwnProgram, &fs) == nil && fs.Flags&unix.ST_RDONLY != 0 {
		return false
	}
	user := os.Geteuid()
	return user == 0 || st.Uid == uint32(user) || st.Uid == uint32(os.Getuid()) ||
		unix.Faccessat(unix.AT_FDCWD, OwnProgram, unix.W_OK, unix.AT_EACCESS) == nil
}

// GainsRights reports whether an exec of a file gives rights that its caller does not
// have: by a set-user-ID or set-group-ID bit, or by capabilities of the file. What cannot
// be looked at may.
func GainsRights(path string) bool {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil || st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		return true
	}
	n, err := unix.Getxattr(path, "security.capability", nil)
	return err == nil && n > 0
}
