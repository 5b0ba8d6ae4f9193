package keep

import (
	"os"
	"syscall"
)

// watchFolder returns a descriptor that has something to read when the folder, or a
// file in it, goes away: inotify(7).
func watchFolder(dir string) (*os.File, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	const gone = syscall.IN_DELETE | syscall.IN_MOVED_FROM | syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF
	if _, err := syscall.InotifyAddWatch(fd, dir, gone|syscall.IN_ONLYDIR); err != nil {
		syscall.Close(fd)
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return os.NewFile(uintptr(fd), "inotify"), nil
}

// watchSocket ends the server when its socket is not there any more: nobody could call
// it. The children that run are seen through to their end.
func (s *server) watchSocket() {
	defer s.watch.Close()
	path := s.socket.Addr().String()
	for b := make([]byte, 4096); ; {
		if _, err := os.Lstat(path); err != nil {
			s.end()
			return
		}
		if _, err := s.watch.Read(b); err != nil {
			return // it is never full, and closed by nobody else
		}
	}
}
