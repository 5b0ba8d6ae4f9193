//go:build linux && (amd64 || arm64)

package launch

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// mounts lowers the steps that make a child's file system. Descriptors that
// they leave are close-on-exec, whatever their flags say.
func (b *builder) mounts(r *Request, i int) {
	s := r.Plan.Steps[i]
	num := func(n int) uintptr { return uintptr(s.Args[n].Num) }
	str := func(n int) uintptr { return b.str(r.text(s.Args[n])) }
	call := func(nr uintptr, args ...uintptr) *op { return b.call(i, nr, args...) }
	switch s.Op {
	case spawn.OpMount:
		call(unix.SYS_MOUNT, str(0), str(1), str(2), num(3), b.optional(s.Args[4].Str))
	case spawn.OpUmount:
		call(unix.SYS_UMOUNT2, str(0), num(1))
	case spawn.OpPivotRoot:
		call(unix.SYS_PIVOT_ROOT, str(0), str(1))
	case spawn.OpMountSetattr:
		attr := b.bytes(32) // struct mount_attr
		for n := range 3 {
			binary.NativeEndian.PutUint64(attr[8*n:], uint64(num(3+n)))
		}
		b.fd(call(unix.SYS_MOUNT_SETATTR, 0, str(1), num(2), pointer(attr), 32), 0, s.Args[0])
	case spawn.OpOpenTree:
		b.fd(call(unix.SYS_OPEN_TREE, 0, str(1), num(2)|unix.OPEN_TREE_CLOEXEC), 0, s.Args[0])
		b.result(i)
	case spawn.OpMoveMount:
		o := call(unix.SYS_MOVE_MOUNT, 0, b.str(""), 0, str(2), num(3)|unix.MOVE_MOUNT_F_EMPTY_PATH)
		b.fd(o, 0, s.Args[0])
		b.fd(o, 2, s.Args[1])
	case spawn.OpFsopen:
		call(unix.SYS_FSOPEN, str(0), num(1)|unix.FSOPEN_CLOEXEC)
		b.result(i)
	case spawn.OpFsconfig:
		b.fd(call(unix.SYS_FSCONFIG, 0, num(1), b.optional(s.Args[2].Str), b.optional(s.Args[3].Str), 0), 0, s.Args[0])
	case spawn.OpFsmount:
		b.fd(call(unix.SYS_FSMOUNT, 0, num(1)|unix.FSMOUNT_CLOEXEC, num(2)), 0, s.Args[0])
		b.result(i)
	case spawn.OpOpenAt:
		how := b.bytes(24) // struct open_how
		binary.NativeEndian.PutUint64(how, uint64(num(2))|unix.O_CLOEXEC)
		binary.NativeEndian.PutUint64(how[8:], uint64(num(3)))
		binary.NativeEndian.PutUint64(how[16:], uint64(num(4)))
		b.fd(call(unix.SYS_OPENAT2, 0, str(1), pointer(how), 24), 0, s.Args[0])
		b.result(i)
	case spawn.OpMkdir:
		b.unmasked(i, func() { b.fd(call(unix.SYS_MKDIRAT, 0, str(1), num(2)), 0, s.Args[0]) })
	case spawn.OpMknod:
		b.unmasked(i, func() { b.fd(call(unix.SYS_MKNODAT, 0, str(1), num(2), num(3)), 0, s.Args[0]) })
	case spawn.OpSymlink:
		b.fd(call(unix.SYS_SYMLINKAT, str(0), 0, str(2)), 1, s.Args[1])
	}
}

// unmasked emits what make does without the mask of modes that the child has from
// the host: nobody but the plan says what mode a file has.
func (b *builder) unmasked(i int, make func()) {
	mask := uintptr(len(b.ops))
	b.call(i, unix.SYS_UMASK, 0)
	make()
	b.call(i, unix.SYS_UMASK, mask).refs = 1
}

// optional returns the address of s, or none when it is empty.
func (b *builder) optional(s string) uintptr {
	if s == "" {
		return 0
	}
	return b.str(s)
}
