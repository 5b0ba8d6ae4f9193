// Package isolate is the method "isolate": a sandbox at the price of a process.
//
//	hatchery run --spawn-backend=isolate -- make test
//	hatchery run --spawn-backend=isolate --opt bind=$PWD:$PWD:rw --opt net=host -- go build ./...
//
// A child has namespaces of its own (user, pid, mount, ipc, uts, cgroup and
// network), a root that holds what its options put there, no capability, no way
// to gain one, and a process 1 with which everything in the sandbox ends. It
// takes no rights to have that: any user can.
//
// The backend only plans (see package plan); the keeper executes, and no helper
// program is started but that process 1.
//
// # What it is not
//
// It is no virtual machine: the kernel is the host's, and a bug in it that the
// child can reach is a way out. The profile host shows the host's files to the
// child, as far as its user may read them. docs/isolate.md says what each layer
// stops and what it does not.
package isolate
