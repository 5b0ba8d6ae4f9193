// Package escapesuite attacks sandboxes of the method isolate. It is all tests:
//
//	go test ./internal/escapesuite -v
//
// prints a table of attempts: what each of them tries, what became of it without
// the layer that is to stop it, what became of it inside, and which layer that is.
// docs/isolate.md refers to the attempts by their names.
//
// An attempt is a function that the test binary runs when it is started under
// another name (see internal/helperproc), and a scene: what the test makes for it
// to attack, such as a process, a file or a socket of its own. It is run
//
//   - as the control: by itself, or in a sandbox whose plan has been weakened by
//     the layers that stop it (see weak.Plan). There it must work, or the attempt
//     is worth nothing;
//   - with each of those layers alone, where there are several: each is enough;
//   - in a sandbox as it is, with the profiles that apply, with a filter that
//     kills, and for root as another user without a user namespace: it must fail
//     with the right error, and its target must be as it was.
//
// Some attempts are expected to work: what the documentation says is not kept from
// the child. They are there so that it stays true.
//
// Nothing that an attempt does can harm the machine when it works. Mounts and host
// names are those of namespaces of the child's; what concerns the kernel as a whole
// (modules, clocks, other kernels) is asked for with arguments that the kernel
// refuses, and the control is that it gets to refuse them.
package escapesuite
