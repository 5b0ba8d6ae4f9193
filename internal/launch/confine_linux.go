//go:build linux && (amd64 || arm64)

package launch

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// confine lowers the steps that put a child into surroundings of its own.
func (b *builder) confine(r *Request, i int) {
	s := r.Plan.Steps[i]
	num := func(n int) uintptr { return uintptr(s.Args[n].Num) }
	call := func(nr uintptr, args ...uintptr) *op { return b.call(i, nr, args...) }
	switch s.Op {
	case spawn.OpSetns:
		b.fd(call(unix.SYS_SETNS, 0, num(1)), 0, s.Args[0])
	case spawn.OpUnshare:
		call(unix.SYS_UNSHARE, num(0))
	case spawn.OpUIDMap:
		b.await(i, "uid_map", s.Args[0].Str)
	case spawn.OpGIDMap:
		b.await(i, "gid_map", s.Args[0].Str)
	case spawn.OpSethostname:
		call(unix.SYS_SETHOSTNAME, b.str(s.Args[0].Str), uintptr(len(s.Args[0].Str)))
	case spawn.OpSetdomainname:
		call(unix.SYS_SETDOMAINNAME, b.str(s.Args[0].Str), uintptr(len(s.Args[0].Str)))
	case spawn.OpLinkUp:
		b.linkUp(i, s.Args[0].Str)
	case spawn.OpCapset:
		call(unix.SYS_CAPSET, b.words(unix.LINUX_CAPABILITY_VERSION_3, 0), b.capabilities(s.Args))
	case spawn.OpBound:
		b.bound(i, uint64(num(0)))
	case spawn.OpAmbientClear:
		call(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL)
	case spawn.OpSecurebits:
		call(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, num(0))
	case spawn.OpKeyring:
		call(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING)
	case spawn.OpSeccomp:
		call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, num(0), b.filter(s.Args[1].Str))
	case spawn.OpLandlock, spawn.OpLandlockPath, spawn.OpLandlockPort, spawn.OpLandlockRestrict:
		b.landlock(i, s)
	default:
		b.mounts(r, i)
	}
}

// linkUp brings up a network interface: a socket is what one is asked for it by.
func (b *builder) linkUp(i int, name string) {
	socket := uintptr(len(b.ops))
	b.call(i, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	ifreq := b.bytes(40) // struct ifreq: 16 bytes of name, and a union
	copy(ifreq[:unix.IFNAMSIZ-1], name)
	binary.NativeEndian.PutUint16(ifreq[unix.IFNAMSIZ:], unix.IFF_UP|unix.IFF_RUNNING)
	b.call(i, unix.SYS_IOCTL, socket, unix.SIOCSIFFLAGS, pointer(ifreq)).refs = 1
	b.call(i, unix.SYS_CLOSE, socket).refs = 1
}

// capabilities returns the address of the two struct __user_cap_data_struct
// that hold effective, permitted and inheritable.
func (b *builder) capabilities(sets []spawn.Arg) uintptr {
	m := b.bytes(24)
	for n, a := range sets {
		binary.NativeEndian.PutUint32(m[4*n:], uint32(a.Num))
		binary.NativeEndian.PutUint32(m[12+4*n:], uint32(uint64(a.Num)>>32))
	}
	return pointer(m)
}

// bound drops all capabilities that this kernel has, but those of keep.
func (b *builder) bound(i int, keep uint64) {
	if b.caps == 0 {
		for b.caps < 64 {
			if r, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(b.caps), 0, 0, 0); err != nil || r < 0 {
				break
			}
			b.caps++
		}
	}
	for c := range b.caps {
		if keep&(1<<c) == 0 {
			b.call(i, unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c))
		}
	}
}

// filter returns the address of the struct sock_fprog of a filter.
func (b *builder) filter(program string) uintptr {
	code := b.bytes(len(program))
	copy(code, program)
	m := b.bytes(int(unsafe.Sizeof(unix.SockFprog{})))
	binary.NativeEndian.PutUint16(m, uint16(len(program)/8))
	binary.NativeEndian.PutUint64(m[8:], uint64(pointer(code)))
	return pointer(m)
}

// landlock lowers the four steps of a ruleset.
func (b *builder) landlock(i int, s spawn.Step) {
	num := func(n int) uint64 { return uint64(s.Args[n].Num) }
	switch s.Op {
	case spawn.OpLandlock:
		// The kernel takes a shorter structure as one with zeros behind it,
		// and an older one refuses what it does not know: only what is asked
		// for is told.
		m, size := b.bytes(24), uintptr(8)
		for n := range 3 {
			binary.NativeEndian.PutUint64(m[8*n:], num(n))
			if num(n) != 0 {
				size = uintptr(8*n + 8)
			}
		}
		b.call(i, unix.SYS_LANDLOCK_CREATE_RULESET, pointer(m), size, 0)
		b.result(i)
	case spawn.OpLandlockPath:
		m := b.bytes(16) // packed: 8 bytes of accesses, 4 of a descriptor
		binary.NativeEndian.PutUint64(m, num(2))
		b.fd(b.call(i, storeCall, 0, pointer(m[8:])), 0, s.Args[1])
		b.fd(b.call(i, unix.SYS_LANDLOCK_ADD_RULE, 0, unix.LANDLOCK_RULE_PATH_BENEATH, pointer(m), 0), 0, s.Args[0])
	case spawn.OpLandlockPort:
		m := b.bytes(16)
		binary.NativeEndian.PutUint64(m, num(2))
		binary.NativeEndian.PutUint64(m[8:], num(1))
		b.fd(b.call(i, unix.SYS_LANDLOCK_ADD_RULE, 0, ruleNetPort, pointer(m), 0), 0, s.Args[0])
	case spawn.OpLandlockRestrict:
		b.fd(b.call(i, unix.SYS_LANDLOCK_RESTRICT_SELF, 0, 0), 0, s.Args[0])
	}
}

// ruleNetPort is LANDLOCK_RULE_NET_PORT.
const ruleNetPort = 2
