package spawn

// Init makes the child so far process 1 of its pid namespace, which it has from
// the clone, and goes on in a first child of it, number 2, that becomes the
// program. Process 1 reaps whatever ends there, passes signals on, and when the
// program has ended everything else in the namespace ends with it. What the
// steps before it changed holds for both.
//
// It has no descriptor but one of the keeper's, to tell how the program ended:
// the status that the host has is the program's own, not that of process 1.
func Init() Step { return step(OpInit) }

// Park says that the steps before it, a step [Init] among them, may be done before
// there is a child to be: the keeper may have a process that has come to here wait
// for the next plan that begins with the same steps, and go on by what that one
// says. Whoever puts it into a plan vouches for that these steps
//
//   - depend on nothing of the Spec that is not in them: they have no hole and no
//     descriptor of the plan, which is checked;
//   - change nothing that anybody outside the child sees;
//   - and would come to the same at another moment, within some seconds. The keeper sees to
//     it as far as the host's mounts, its name, its root, and the files are concerned that
//     [OpenTree] opens by an absolute path: where one of them has changed it begins anew.
//
// The child's umask is the host's at the time of the call all the same, and no
// signal that was sent before that reaches the program. A step behind it refers to no
// result of one before it. A keeper that has nobody wait passes over the step.
func Park() Step { return step(OpPark) }

// Setns moves the child into the namespace that is open as fd, setns(2).
// nstype is the CLONE_NEW* flag of its kind. A user namespace comes before the
// namespaces that it owns.
func Setns(fd Arg, nstype uint64) Step { return step(OpSetns, fd, Int(int64(nstype))) }

// Unshare moves the child into new namespaces, unshare(2). flags are
// CLONE_NEW* alone.
func Unshare(flags uint64) Step { return step(OpUnshare, Int(int64(flags))) }

// UIDMap has the keeper write the user ids of the child's user namespace, which
// it has from the clone, as user_namespaces(7) has them: "0 100000 65536". The
// child waits meanwhile. Ranges take a keeper with CAP_SETUID where the keeper
// is. A child that maps its own id alone writes to /proc/self/uid_map instead.
func UIDMap(text string) Step { return step(OpUIDMap, Str(text)) }

// GIDMap is UIDMap for group ids, with CAP_SETGID.
func GIDMap(text string) Step { return step(OpGIDMap, Str(text)) }

// Sethostname sets the host name of the child's UTS namespace, sethostname(2).
// A plan that has not given the child one of its own is refused.
func Sethostname(name string) Step { return step(OpSethostname, Str(name)) }

// Setdomainname sets the NIS domain name of the child's UTS namespace,
// setdomainname(2), under the same condition.
func Setdomainname(name string) Step { return step(OpSetdomainname, Str(name)) }

// LinkUp brings up an interface of the child's network namespace, SIOCSIFFLAGS
// in netdevice(7): "lo" is down in a new one. A plan that has not given the
// child one of its own is refused.
func LinkUp(name string) Step { return step(OpLinkUp, Str(name)) }
