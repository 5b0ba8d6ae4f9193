package seccomp

// An Arch is an architecture, by the name that it has in GOARCH.
type Arch string

// The architectures that filters can be made for.
const (
	AMD64 Arch = "amd64"
	ARM64 Arch = "arm64"
)

// audit returns the kernel's number of the architecture's calling convention,
// AUDIT_ARCH_* in linux/audit.h, or 0.
func (a Arch) audit() uint32 {
	const bits64, littleEndian = 0x8000_0000, 0x4000_0000
	switch a {
	case AMD64:
		return 62 | bits64 | littleEndian
	case ARM64:
		return 183 | bits64 | littleEndian
	}
	return 0
}

// x32 is the bit in a number that says that a program of amd64 uses pointers of
// 32 bits.
const x32 = 0x4000_0000
