package spawn

// An Op names a step. The names are those of the system calls, or of the
// prctl or ioctl request, that they stand for.
type Op string

// The steps. Beside each stand its arguments; the constructor of the same
// name documents them. Those with an arrow have a result, a descriptor.
const (
	OpClone      Op = "clone"        // flags [cgroup]
	OpSetsid     Op = "setsid"       //
	OpSetpgid    Op = "setpgid"      // pgid
	OpTerminal   Op = "tiocsctty"    // descriptor of the child
	OpForeground Op = "tiocspgrp"    // descriptor of the child, pgid
	OpUmask      Op = "umask"        // mask
	OpPriority   Op = "setpriority"  // nice
	OpAffinity   Op = "setaffinity"  // mask
	OpLimit      Op = "prlimit"      // resource soft hard
	OpSetgroups  Op = "setgroups"    // gid...
	OpSetresgid  Op = "setresgid"    // gid
	OpSetresuid  Op = "setresuid"    // uid
	OpNoNewPrivs Op = "no_new_privs" //
	OpPdeathsig  Op = "pdeathsig"    // signal
	OpIgnore     Op = "ignore"       // signal
	OpChdir      Op = "chdir"        // path
	OpFchdir     Op = "fchdir"       // descriptor
	OpChroot     Op = "chroot"       // path
	OpOpen       Op = "open"         // path flags mode →
	OpWrite      Op = "write"        // descriptor data
	OpClose      Op = "close"        // descriptor
	OpDup        Op = "dup"          // descriptor, number in the child
	OpFiles      Op = "files"        //
	OpExec       Op = "exec"         // path argv envp
	OpExecFD     Op = "execveat"     // descriptor argv envp

	// Namespaces.
	OpInit          Op = "init"          //
	OpPark          Op = "park"          //
	OpSetns         Op = "setns"         // descriptor type
	OpUnshare       Op = "unshare"       // flags
	OpUIDMap        Op = "uid_map"       // text
	OpGIDMap        Op = "gid_map"       // text
	OpSethostname   Op = "sethostname"   // name
	OpSetdomainname Op = "setdomainname" // name
	OpLinkUp        Op = "link_up"       // name of a network interface

	// The file system. A folder is a descriptor or [CWD].
	OpMount        Op = "mount"         // source target type flags data
	OpUmount       Op = "umount"        // target flags
	OpPivotRoot    Op = "pivot_root"    // new old
	OpMountSetattr Op = "mount_setattr" // folder path flags set clear propagation
	OpOpenTree     Op = "open_tree"     // folder path flags →
	OpMoveMount    Op = "move_mount"    // descriptor, folder path flags
	OpFsopen       Op = "fsopen"        // type flags →
	OpFsconfig     Op = "fsconfig"      // descriptor command key value
	OpFsmount      Op = "fsmount"       // descriptor flags attributes →
	OpOpenAt       Op = "openat2"       // folder path flags mode resolve →
	OpMkdir        Op = "mkdir"         // folder path mode
	OpMknod        Op = "mknod"         // folder path mode device
	OpSymlink      Op = "symlink"       // target folder path

	// Privileges.
	OpCapset       Op = "capset"        // effective permitted inheritable
	OpBound        Op = "capbset"       // capabilities that stay
	OpAmbientClear Op = "ambient_clear" //
	OpSecurebits   Op = "securebits"    // bits
	OpKeyring      Op = "keyring"       //
	OpSeccomp      Op = "seccomp"       // flags filter

	// The keeper's own.
	OpFolder Op = "folder" // path of the one above →
	OpWatch  Op = "watch"  // limit's name, folder, file key limit rate
	OpWall   Op = "wall"   // nanoseconds

	// Before the clone.
	OpHandoff Op = "handoff" // kind argv environment min max idle memory required

	// Landlock.
	OpLandlock         Op = "landlock"          // file-system network scope →
	OpLandlockPath     Op = "landlock_path"     // ruleset, descriptor access
	OpLandlockPort     Op = "landlock_port"     // ruleset, port access
	OpLandlockRestrict Op = "landlock_restrict" // ruleset
)

// HasResult reports whether the step leaves a descriptor that later ones can
// refer to by [Result].
func (o Op) HasResult() bool {
	switch o {
	case OpOpen, OpOpenAt, OpOpenTree, OpFsopen, OpFsmount, OpLandlock, OpFolder:
		return true
	}
	return false
}
