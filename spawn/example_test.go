package spawn_test

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A backend's whole work: from what the caller wants to what is to be done.
func Example() {
	s := &spawn.Spec{Path: "/bin/true", Dir: "/tmp", Group: spawn.NewGroup}
	if err := s.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	p := spawn.Standard(s)
	p.Insert(spawn.NoNewPrivs())
	for _, step := range p.Steps {
		fmt.Println(step)
	}
	// Output:
	// clone(0)
	// setpgid(0)
	// files()
	// pdeathsig(9)
	// chdir({dir})
	// no_new_privs()
	// exec({path}, {argv}, {envp})
}

// An error keeps its identity when it comes from another process.
func ExampleError() {
	sent := &spawn.Error{Key: "forkexec", Phase: spawn.PhaseExec, Op: "exec", Path: "/bin/nosuch", Errno: syscall.ENOENT}
	message, _ := sent.AppendBinary(nil)

	received := new(spawn.Error)
	if err := received.UnmarshalBinary(message); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(received)
	fmt.Println(errors.Is(received, fs.ErrNotExist))
	// Output:
	// forkexec: exec /bin/nosuch: no such file or directory
	// true
}
