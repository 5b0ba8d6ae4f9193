// Package detached knows the folders of detached children: where they are, which
// child and keeper a folder means, and what has become of them.
//
// Such a folder is named "detached-" and sixteen digits, and lies beside the
// runtime folders of hosts, from which its name tells it. In it are
//
//   - detached.json, the [Record]: who child and keeper are;
//   - control, the socket on which the keeper listens for adopters;
//   - exit.new, and exit in its place once the child has ended: how it did;
//   - children-PID, the keeper's table of what is below it.
//
// The first is written by the host before the child is detached, everything else
// by the keeper (internal/keeper/detach.go). When the child has ended and the keeper is
// gone, the first and the exit are left, until the child is forgotten.
//
// A [Record] has a short form for people to keep, [Record.Ref], which has all that
// tells one child from every other: when the folder is gone, or another's, it is
// noticed. Nobody is ever signalled by a number from either: what is to happen to
// a child is asked of its keeper, and that must be the recorded process with the
// recorded time of birth, and know the nonce.
package detached
