package landlock

import "strings"

// An Access is a set of things that are done to files, as the kernel has them in
// linux/landlock.h.
type Access uint64

// The accesses, one by one.
const (
	Execute    Access = 1 << iota
	WriteFile         // opening to write
	ReadFile          // opening to read
	ReadFolder        // listing
	RemoveFolder
	RemoveFile
	MakeCharDevice
	MakeFolder
	MakeFile
	MakeSocket
	MakePipe
	MakeBlockDevice
	MakeSymlink
	Move     // linking and renaming between folders, Linux 5.19
	Truncate // Linux 6.2
	Ioctl    // of devices, by what was opened afterwards, Linux 6.10
)

// The accesses, as one thinks of them.
const (
	Read  = ReadFile | ReadFolder
	Write = WriteFile | Truncate
	Make  = RemoveFolder | RemoveFile | MakeFolder | MakeFile | MakeSocket | MakePipe | MakeSymlink | Move

	// AllFiles is everything, devices included.
	AllFiles Access = 1<<16 - 1
)

// ofFile are the accesses that something can have that is no folder.
const ofFile = Execute | WriteFile | ReadFile | Truncate | Ioctl

// String returns the names of the accesses, joined by +.
func (a Access) String() string {
	return join(uint64(a), []string{"execute", "write-file", "read-file", "read-folder", "remove-folder", "remove-file", "make-char-device",
		"make-folder", "make-file", "make-socket", "make-pipe", "make-block-device", "make-symlink", "move", "truncate", "ioctl"})
}

// A Net is a set of things that are done to TCP ports. Linux 6.7.
type Net uint64

// The accesses to ports.
const (
	Bind Net = 1 << iota
	Connect
)

// String returns the names of the accesses, joined by +.
func (n Net) String() string { return join(uint64(n), []string{"bind", "connect"}) }

// A Scope is a set of things that end at the processes that share the policy:
// towards those that do not, they are refused. Linux 6.12.
type Scope uint64

// The scopes.
const (
	AbstractSockets Scope = 1 << iota // connecting to abstract Unix sockets
	Signals                           // sending signals
)

// String returns the names of the scopes, joined by +.
func (s Scope) String() string { return join(uint64(s), []string{"abstract-sockets", "signals"}) }

func join(bits uint64, names []string) string {
	var all []string
	for i, n := range names {
		if bits>>i&1 != 0 {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, "+")
}
