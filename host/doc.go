// Package host is the embeddable runtime: it starts children by a spawn method
// chosen at run time, and never loses one.
//
// The smallest program:
//
//	func main() {
//		host.Init(backends.Builtin()...) // first: see below
//		h, err := host.Open(host.Config{})
//		…
//		defer h.Close()
//		out, err := h.Command("uname", "-r").Output()
//	}
//
// [Host.Command] has the face of os/exec; docs/embedding.md maps one to the
// other. [Host.Start] takes a spawn.Spec and returns a [Process].
//
// # Init
//
// A host executes itself again: once as the keeper, the parent of everything
// it starts, and once for each built-in method that is used, as the plugin
// that plans it. Init is where a plugin's life begins and ends, so it must be
// the first thing that main and TestMain do. The keeper needs no call; it is
// entered while packages are initialised.
//
// # Guarantees
//
// Every exit status is what the kernel told the keeper, or says that it was
// lost. Every wait is bounded ([Timeouts]). When the host is closed, or ends in
// any other way, SIGKILL included, everything it started is ended, descendants
// that became daemons included. A plugin that crashes touches no child. The
// embedding program keeps its own children, its SIGCHLD and its wait4(-1): it
// sees one more child, the keeper.
//
// # What this package is not
//
// It is no init system: a child is restarted only in a [Nursery] that was told
// to. And it is no sandbox: what a child may do is the method's affair.
package host
