//go:build linux && (amd64 || arm64)

package launch

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// OpenReadOnly opens a file, O_PATH, whose name is relative to a folder, by a copy of the
// mounts at and below that. The copy is read-only and is mounted nowhere: nobody who gets
// hold of what was opened or executed by it can write to the file, nor make that mount
// writable again. In /proc the file's path begins at the folder. A caller without the
// rights on the host for that has a child in a user namespace make the copy, which ends
// before the return. open_tree(2) and mount_setattr(2), Linux 5.12.
//
// The caller's other children are not touched: that child sends no signal when it ends,
// and only a wait with __WALL sees it.
func OpenReadOnly(folder, name string) (*os.File, error) {
	tree, err := readOnlyTree(folder)
	if err != nil {
		return nil, err
	}
	defer func() { go unix.Close(tree) }() // it takes the kernel a while
	fd, err := unix.Openat(tree, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "openat", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// readOnlyTree returns a descriptor of a copy of the mounts at and below a folder.
func readOnlyTree(folder string) (int, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, folder, treeFlags)
	if err == unix.EPERM {
		return readOnlyTreeByChild(folder)
	}
	if err != nil {
		return -1, os.NewSyscallError("open_tree", err)
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("mount_setattr", err)
	}
	return fd, nil
}

const treeFlags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE

// readOnlyTreeByChild has the two calls made by a child in namespaces of its own, which
// has the same descriptors.
func readOnlyTreeByChild(folder string) (int, error) {
	t, err := NewThread()
	if err != nil {
		return -1, err
	}
	defer t.Close()
	b := &t.build
	b.renew()
	defer b.drop()
	at := unix.AT_FDCWD
	b.call(1, unix.SYS_OPEN_TREE, uintptr(at), b.str(folder), treeFlags)
	attr := b.bytes(int(unsafe.Sizeof(unix.MountAttr{})))
	*(*unix.MountAttr)(unsafe.Pointer(unsafe.SliceData(attr))) = unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	b.call(2, unix.SYS_MOUNT_SETATTR, 0, b.str(""), unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, pointer(attr), uintptr(len(attr))).refs = 1
	t.state.reset(b.ops, &t.Progress)
	t.args = t.cloneArgs(unix.CLONE_VFORK | unix.CLONE_FILES | unix.CLONE_NEWUSER | unix.CLONE_NEWNS)
	res := vfork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&t.args)), unsafe.Sizeof(t.args), 0, t.state)
	if res > ^uintptr(4095) {
		return -1, os.NewSyscallError("clone3", syscall.Errno(-res))
	}
	awaitSilent(int(res))
	t.Done()
	s := t.state
	switch {
	case s.did == uintptr(len(b.ops)):
		return int(s.res[0]), nil
	case s.did > 0:
		unix.Close(int(s.res[0]))
	}
	call := [...]string{"open_tree", "mount_setattr"}[s.did]
	if s.errno == 0 {
		s.errno = uintptr(syscall.ECANCELED) // it was killed
	}
	return -1, os.NewSyscallError(call, syscall.Errno(s.errno))
}

// awaitSilent reaps a child that sends no signal when it ends.
func awaitSilent(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, unix.WALL, nil); err != unix.EINTR {
			return
		}
	}
}
