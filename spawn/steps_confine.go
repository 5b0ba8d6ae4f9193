package spawn

// Capset sets the capability sets of the child, bit n of each being capability
// number n, capset(2).
func Capset(effective, permitted, inheritable uint64) Step {
	return step(OpCapset, Int(int64(effective)), Int(int64(permitted)), Int(int64(inheritable)))
}

// Bound takes all capabilities but those of keep out of the bounding set,
// PR_CAPBSET_DROP in prctl(2).
func Bound(keep uint64) Step { return step(OpBound, Int(int64(keep))) }

// AmbientClear empties the ambient set, PR_CAP_AMBIENT_CLEAR_ALL in prctl(2),
// Linux 4.3.
func AmbientClear() Step { return step(OpAmbientClear) }

// Securebits sets the flags that say what root may do, PR_SET_SECUREBITS in
// prctl(2).
func Securebits(bits uint32) Step { return step(OpSecurebits, Int(int64(bits))) }

// Keyring gives the child an anonymous session keyring of its own,
// KEYCTL_JOIN_SESSION_KEYRING in keyctl(2).
func Keyring() Step { return step(OpKeyring) }

// Seccomp installs a filter for system calls, seccomp(2): filter is a program
// of struct sock_filter in the machine's byte order, flags are
// SECCOMP_FILTER_FLAG_*, which must not ask for a descriptor. It concerns the
// steps behind it as well, the exec among them.
func Seccomp(flags uint32, filter string) Step {
	return step(OpSeccomp, Int(int64(flags)), Str(filter))
}

// Landlock begins a ruleset for the accesses it is to handle; its result is the
// descriptor. landlock_create_ruleset(2), Linux 5.13; net since 6.7, scope
// since 6.12: a 0 asks nothing of the kernel.
func Landlock(fs, net, scope uint64) Step {
	return step(OpLandlock, Int(int64(fs)), Int(int64(net)), Int(int64(scope)))
}

// LandlockPath allows accesses to the file or below the folder that is open as
// fd; landlock_add_rule(2).
func LandlockPath(ruleset, fd Arg, access uint64) Step {
	return step(OpLandlockPath, ruleset, fd, Int(int64(access)))
}

// LandlockPort allows accesses to a TCP port; landlock_add_rule(2), Linux 6.7.
func LandlockPort(ruleset Arg, port uint16, access uint64) Step {
	return step(OpLandlockPort, ruleset, Int(int64(port)), Int(int64(access)))
}

// LandlockRestrict puts the child under the ruleset for good;
// landlock_restrict_self(2). It needs NoNewPrivs before it.
func LandlockRestrict(ruleset Arg) Step { return step(OpLandlockRestrict, ruleset) }
