package plan

// What errors say of steps that fail for reasons that a user can do something
// about. They are cut at 200 bytes.
const (
	noteClone = "new namespaces are not allowed here: see sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, " +
		"kernel.apparmor_restrict_unprivileged_userns"
	noteMap     = "the ids of the user namespace: AppArmor or a container that restricts user namespaces forbids it, or the host has changed its user"
	noteRoot    = "the new root"
	notePivot   = "pivot_root: the host must not run on an initramfs"
	noteProc    = "a /proc of its own: where the host's is partly covered, as in most containers, the kernel refuses it"
	noteDir     = "the directory to start in is not in the sandbox, where /tmp, /var/tmp and /run are its own: give one that is (--dir), or bind it"
	noteExec    = "it is not in the sandbox, or its interpreter is not: bind them, and its libraries; /tmp, /var/tmp and /run are the sandbox's own"
	noteDev     = "a /dev of its own"
	noteOverlay = "an overlay: it takes Linux 5.11, and a root that has no mounts below it and is not an overlay twice already"
)
