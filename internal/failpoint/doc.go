// Package failpoint makes a process of the project fail at a named step: kill
// or stop itself, wait, exit, or have the step return an error.
//
// The steps are in one table, [Points]. The code says where it is:
//
//	failpoint.Pass(failpoint.KeeperExitReaped)
//	if err := failpoint.Fail(failpoint.HostLaunchSend); err != nil { … }
//
// In a normal build both are empty functions, of which nothing is left once they
// are inlined. With the build tag failpoints (on Linux) a process looks for rules
// in a file beside its own program, which it finds by /proc/self/exe, and a keeper, which
// is executed by another name of that, by a variable: host,
// keeper and the plugins that are built in are one program, so all of them find
// it, though they have different environments and descriptors, and no child ever
// sees anything of it. Each rule is followed once, by the process that comes to
// its step first; a file says who did.
//
// internal/faultsuite goes through all steps by it.
package failpoint
