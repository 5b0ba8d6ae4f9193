package spawn

// CWD returns the argument that stands for the child's working directory where
// a folder is wanted: AT_FDCWD in openat(2).
func CWD() Arg { return Int(-100) }

// Mount mounts a file system, or changes a mount, mount(2). As all steps that
// change mounts it is refused in a plan that has not given the child a mount
// namespace of its own.
func Mount(source, target Arg, fstype string, flags uint64, data string) Step {
	return step(OpMount, source, target, Str(fstype), Int(int64(flags)), Str(data))
}

// Umount unmounts target, umount2(2).
func Umount(target Arg, flags int) Step { return step(OpUmount, target, Int(int64(flags))) }

// PivotRoot makes the mount at newRoot the root of the mount namespace and
// puts the old one at putOld, pivot_root(2).
func PivotRoot(newRoot, putOld Arg) Step { return step(OpPivotRoot, newRoot, putOld) }

// MountSetattr changes the attributes (MOUNT_ATTR_*) and the propagation
// (MS_PRIVATE and its kin, or 0) of the mount at path below folder; of all
// below it with AT_RECURSIVE among the flags. mount_setattr(2), Linux 5.12.
func MountSetattr(folder, path Arg, flags int, set, clear, propagation uint64) Step {
	return step(OpMountSetattr, folder, path, Int(int64(flags)), Int(int64(set)), Int(int64(clear)), Int(int64(propagation)))
}

// OpenTree opens the mount at path below folder, or with OPEN_TREE_CLONE among
// the flags a copy of it that is mounted nowhere; its result is the
// descriptor. open_tree(2), Linux 5.2.
func OpenTree(folder, path Arg, flags int) Step {
	return step(OpOpenTree, folder, path, Int(int64(flags)))
}

// MoveMount mounts what tree holds at path below folder, or with
// MOVE_MOUNT_T_EMPTY_PATH among the flags and an empty path at folder itself.
// move_mount(2), Linux 5.2.
func MoveMount(tree, folder, path Arg, flags int) Step {
	return step(OpMoveMount, tree, folder, path, Int(int64(flags)))
}

// Fsopen begins a new file system; its result is the descriptor to configure
// it. fsopen(2), Linux 5.2.
func Fsopen(fstype string, flags int) Step { return step(OpFsopen, Str(fstype), Int(int64(flags))) }

// Fsconfig configures what Fsopen began: command is FSCONFIG_SET_FLAG,
// FSCONFIG_SET_STRING or FSCONFIG_CMD_CREATE, for which key and value are
// empty. fsconfig(2), Linux 5.2.
func Fsconfig(fs Arg, command int, key, value string) Step {
	return step(OpFsconfig, fs, Int(int64(command)), Str(key), Str(value))
}

// Fsmount makes a mount of what Fsconfig created, mounted nowhere yet; its
// result is the descriptor. fsmount(2), Linux 5.2.
func Fsmount(fs Arg, flags int, attributes uint64) Step {
	return step(OpFsmount, fs, Int(int64(flags)), Int(int64(attributes)))
}

// OpenAt opens a file below folder, under the rules of resolve (RESOLVE_*); its
// result is the descriptor, which is close-on-exec. openat2(2), Linux 5.6.
func OpenAt(folder, path Arg, flags int, mode uint32, resolve uint64) Step {
	return step(OpOpenAt, folder, path, Int(int64(flags)), Int(int64(mode)), Int(int64(resolve)))
}

// Mkdir makes a folder of exactly that mode, whatever the umask, mkdirat(2).
func Mkdir(folder, path Arg, mode uint32) Step {
	return step(OpMkdir, folder, path, Int(int64(mode)))
}

// Mknod makes a file of the type in mode, which is its mode whatever the umask,
// mknodat(2): S_IFREG for an empty one.
func Mknod(folder, path Arg, mode uint32, device uint64) Step {
	return step(OpMknod, folder, path, Int(int64(mode)), Int(int64(device)))
}

// Symlink makes path below folder a symbolic link to target, symlinkat(2).
func Symlink(target string, folder, path Arg) Step {
	return step(OpSymlink, Str(target), folder, path)
}
