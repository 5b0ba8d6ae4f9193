// Package launch turns a plan into a child on Linux.
//
// A plan (spawn.Plan) is a list of steps. This package checks it ([Check]),
// lays it out in memory as a list of system calls, and clones: clone3(2) with
// CLONE_VM and CLONE_VFORK, so that the child borrows the parent's memory and
// nothing is copied, whatever the size of the parent. Between clone and execve
// the child does nothing but walk the list, in one function that never
// allocates, never grows its stack and never meets the Go runtime. When a call
// fails it leaves the step and the errno in the shared memory and exits: no
// error pipe, no helper program, and the error names the step.
//
//	t, err := launch.NewThread()           // one for each launching goroutine
//	runtime.LockOSThread()
//	child, err := t.Launch(&launch.Request{Plan: plan, Path: "/bin/true", …})
//
// # How the Go runtime is kept out of it
//
// The child runs on a stack of its own, so nothing of the parent's frame is
// touched and the parent's return address is safe. Every signal is blocked
// around the clone, and CLONE_CLEAR_SIGHAND (Linux 5.5) resets the handlers in
// the child, so no handler of the runtime ever runs there. The launching
// goroutine is in a system call as far as the scheduler can see
// (runtime.entersyscall): a child that is stuck before its exec, in a frozen
// cgroup or on a dead file server, costs a thread and never a P.
//
// With a step init there are two children: process 1 of the pid namespace, and the
// program, which it clones. Both are in this memory for a while, each on a stack of
// its own. Process 1 leaves it first: the program waits before its exec until the
// program of package pid1 says that it has become process 1, so that nothing
// which is not trusted ever runs beside a process that has the parent's memory.
//
// Where clone3 is refused (Docker's default filter does) clone(2) is used;
// then the child resets the handlers itself and cannot be cloned into a
// cgroup.
//
// # What this package is not
//
// It does not wait for children, does not decide anything, and is not safe
// for programs that open descriptors without close-on-exec at the same time:
// it is the keeper's, which never does. On systems other than Linux a plan is
// executed by syscall.ForkExec as far as that can express it.
package launch
