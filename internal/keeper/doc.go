// Package keeper is the process between a host and everything it starts.
//
// There is one keeper for each host; for a host that has changed in a way that
// only a birth passes on (another control group, say), one more, while the old
// one goes on until its last child has ended ([Client.Dismiss]). It executes plans, so it is the plain
// parent of plugins and children alike; it is a subreaper, so every orphan
// they leave behind becomes its child too; it reaps, and tells the host of
// each exit. When the host is gone, however it went, the keeper ends
// everything that is left, removes the host's runtime folder and exits. It
// runs no author's code.
//
// The host's half is [Client]:
//
//	c, err := keeper.Start(keeper.Config{Folder: dir})
//	started, err := c.Launch(ctx, &keeper.Launch{Plan: encoded, Path: "/bin/true", …})
//	…
//	c.Close(grace, limit)
//
// # The other half
//
// The keeper is the host's own program, executed again: package init enters it
// (entry.go) before the rest of the program is initialised, when the process
// was started under the name "hatchery-keeper" with a lane as descriptor 3.
// Three kinds of threads do its work and share one table of children:
//
//   - launchers (launcher.go) wait on the lane, each handles one frame from
//     beginning to end. A launch that is stuck before its exec occupies one;
//     when all are occupied without any of them getting on, more are started
//     (crew.go; spare.go says how it is done when the machine has no room).
//     They live as long as the keeper, as PR_SET_PDEATHSIG wants it.
//   - the reaper (reaper.go) waits for exits and sends them, several in a
//     frame when there are several. When the host does not read, it blocks
//     and stops reaping: the zombies are the queue, and no exit is dropped.
//   - the watcher (end.go) waits for the end of the host: the lane hung up,
//     or the host's pidfd became readable.
//
// The lane's frames are described in docs/protocol.md. Both ends come from the
// same executable, so they need no versions.
//
// The keeper is cloned with CLONE_FS: it shares the host's working directory,
// umask and root, so that what a Spec leaves open is the host's at the time of
// the call. It must therefore never change one of them itself, but for the one
// thread that looks at /proc (rooted.go), which has its own.
package keeper
