// Package wiretest starts plugin processes for tests, by package os/exec, with
// the descriptors that a host gives them:
//
//	l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin")...)
//	client, err := wire.Dial(ctx, wire.ClientConfig{Key: "x", Start: l.Start, SocketDir: wiretest.SocketDir(t)})
//	planner := wire.NewPlanner("x", l.Last().Lane(t))
//
// At the end of the test whatever was started is killed and waited for.
//
// It is for tests alone: a host starts plugins through its keeper.
package wiretest
