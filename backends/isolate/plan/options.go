package plan

import (
	"slices"
	"time"
)

// Options say what the sandbox of a child is. The zero value is the profile
// host: the host's files to read, its own /tmp, /dev and /proc, and no network.
type Options struct {
	// Profile is what the child sees as the file system. Empty means
	// ProfileRoot when Root is set, and else ProfileHost.
	Profile Profile

	// Root is the folder that becomes the child's /, for ProfileRoot. It must
	// be absolute, and have the folders /proc, /dev and /tmp.
	Root string

	// Overlay lets the child write to Root: what it writes lies in memory and
	// is gone when it ends, and the folder does not change. It must have no
	// mount below it.
	Overlay bool

	// Mounts are made in this order, behind those of the profile.
	Mounts []Mount

	// HostNetwork leaves the child in the host's network. By default it has
	// one of its own, with a loopback interface and nothing else.
	HostNetwork bool

	// Hostname is what the child sees as its name; empty is the host's.
	Hostname string

	// Monotonic and Boottime are what is added to two of the clocks of the host,
	// by a time namespace of the child's own: how long it thinks that the machine
	// has been running. The time of day is everybody's. Linux 6.3.
	Monotonic, Boottime time.Duration

	// IDs are ids of the host that the child has in place of the host's own, so
	// that outside it is somebody else: it has no file of the host's user. Inside
	// they begin with 0, user ids and group ids alike. Root alone can give them.
	// The zero IDs are none.
	IDs IDRange

	// UID and GID are the ids that the child sees as its own; nil means the
	// host's, or 0 with IDs. Outside they are the host's, or those of IDs.
	UID, GID *uint32

	// Seccomp is what is done about system calls that programs have no need
	// of, or a filter of the caller's own, whose file is read for each child.
	// Empty means FilterRefuse.
	Seccomp Filter

	// Landlock fences the child off by Landlock, beside all else. Without rules
	// there is no such fence, but that in the host's network the abstract Unix
	// sockets of the host are out of reach where the kernel is Linux 6.12 or
	// later; LandlockOff, alone, leaves that away too. What this kernel cannot
	// do of it is an error of kind spawn.ErrUnavailable.
	Landlock []LandlockRule

	// KeepEnv names variables that a child whose Spec has no environment gets
	// from the host, beside the few that it has anyway. KeepAllEnv stands for
	// all.
	KeepEnv []string

	// Memory is how many bytes all processes of the sandbox may use together, the
	// files in its memory included; at least MinMemory, or 0: as the host.
	Memory int64

	// CPUs is on how many processors at once they may run, in the mean over a
	// tenth of a second; a hundredth at least, or 0: as the host.
	CPUs float64

	// Pids is how many processes and threads there may be, beside process 1; 0
	// means as many as on the host.
	Pids int

	// IO bounds what they read and write on disks, and IOWeight, from 1 to 10000, is
	// their share of a disk that others want too, where a group without one has 100;
	// 0 means as the host.
	IO       []IOLimit
	IOWeight int

	// Wall is how long the child may run before it is killed, and CPUTime how long
	// all processes together may use processors before the program gets SIGXCPU,
	// and SIGKILL a second later. 0 means no limit.
	Wall, CPUTime time.Duration

	// BestEffort names the layers that a sandbox may be without on a machine
	// that does not have them. What is not named here is there, or there is no
	// sandbox. The notes of the plan say what is missing.
	BestEffort []Layer
}

// An IDRange is Count ids of the host, from First on.
type IDRange struct{ First, Count uint32 }

// MinMemory is the least limit of memory: what it takes to start a small program.
const MinMemory = 1 << 20

// KeepAllEnv, in Options.KeepEnv, keeps the host's whole environment.
const KeepAllEnv = "all"

// A Profile is what a sandbox has as its file system.
type Profile string

// The profiles. In each the child has a /proc, a /dev and a /tmp of its own.
const (
	// ProfileHost is the host's files, to be read and executed alone. /tmp,
	// /var/tmp and /run are private and empty.
	ProfileHost Profile = "host"
	// ProfileEmpty is an empty root that has what Mounts put there.
	ProfileEmpty Profile = "empty"
	// ProfileRoot is the folder Options.Root.
	ProfileRoot Profile = "root"
)

// A Mount puts something into the child's file system.
type Mount struct {
	// Source is a file or folder of the host, absolute. Empty is a new file
	// system in memory.
	Source string

	// Target is where it is in the child, absolute. What is missing on the way
	// is made in a root that is the child's own; elsewhere it is an error.
	Target string

	// Write lets the child write below a Source. A file system in memory can
	// always be written.
	Write bool

	// Size bounds a file system in memory, as tmpfs(5) has it: "64m", "10%".
	// Empty is a quarter of the machine's memory.
	Size string
}

// A Layer is a part of a sandbox that not every machine has.
type Layer string

// The layers that Options.BestEffort can name.
const (
	// LayerCgroup is what only a control group can do: CPUs, IO and IOWeight, and for
	// root Pids.
	LayerCgroup Layer = "cgroup"
	// LayerLandlock is the rules of Landlock.
	LayerLandlock Layer = "landlock"
	// LayerIO is IO and IOWeight.
	LayerIO Layer = "io"
)

// layers are all that BestEffort can name.
func layers() []Layer { return []Layer{LayerCgroup, LayerLandlock, LayerIO} }

// mayLack reports whether the sandbox may be without a layer.
func (o *Options) mayLack(l Layer) bool { return slices.Contains(o.BestEffort, l) }

// profile returns the profile, resolved.
func (o *Options) profile() Profile {
	switch {
	case o.Profile != "":
		return o.Profile
	case o.Root != "":
		return ProfileRoot
	}
	return ProfileHost
}
