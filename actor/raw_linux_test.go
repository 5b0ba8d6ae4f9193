package actor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

// limit is how long anything may take in these tests, as a bound for hangs.
const limit = 20 * time.Second

// A rawChild is an actor that was started by package os/exec, and is spoken to
// frame by frame.
type rawChild struct {
	cmd     *exec.Cmd
	channel *channel.Channel
	hello   chan channel.Hello
	started chan channel.Started
	ended   chan channel.Ended
	served  chan error
	exited  chan struct{} // closed when cmd has its state
}

// startRaw starts this test's actor program.
func startRaw() (*rawChild, error) {
	ours, theirs, err := channel.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := &rawChild{
		cmd: helperproc.Command("actor"), channel: ours, hello: make(chan channel.Hello, 1), started: make(chan channel.Started, 1),
		ended: make(chan channel.Ended, 1), served: make(chan error, 1), exited: make(chan struct{}),
	}
	c.cmd.ExtraFiles = []*os.File{theirs}
	c.cmd.Env = append(os.Environ(), channel.Variable+"=3")
	c.cmd.Stderr = os.Stderr
	if err := c.cmd.Start(); err != nil {
		ours.End(err)
		return nil, err
	}
	go func() { c.served <- ours.Serve(c.receive) }()
	go func() { c.cmd.Wait(); close(c.exited) }()
	return c, nil
}

func (c *rawChild) receive(m *channel.Message) error {
	switch m.Type {
	case channel.TypeHello:
		return decode(m, c.hello)
	case channel.TypeStarted:
		return decode(m, c.started)
	case channel.TypeEnded:
		return decode(m, c.ended)
	}
	return channel.ErrUnknown
}

func decode[T any](m *channel.Message, to chan<- T) error {
	var v T
	if err := m.Decode(&v); err != nil {
		return err
	}
	to <- v
	return nil
}

// be tells the child what to be and waits until it is.
func (c *rawChild) be(s channel.Spawn) error {
	select {
	case h := <-c.hello:
		if h.Version != channel.Version || h.Pid != c.cmd.Process.Pid {
			return fmt.Errorf("hello is %+v", h)
		}
	case <-time.After(limit):
		return fmt.Errorf("no hello within %v", limit)
	}
	if err := c.channel.Send(contextOf(limit), channel.TypeSpawn, s); err != nil {
		return err
	}
	select {
	case <-c.started:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("not started within %v", limit)
	}
}

// child starts an actor for a test.
func child(t testing.TB, entry, sigint string) *rawChild {
	t.Helper()
	c := parked(t)
	if err := c.be(channel.Spawn{Name: "a", UID: "1", Parent: channel.Peer{Name: "test"}, Entry: entry, SIGINT: sigint}); err != nil {
		t.Fatal(err)
	}
	return c
}

// parked starts one that has not been told what to be.
func parked(t testing.TB) *rawChild {
	t.Helper()
	c, err := startRaw()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		<-c.exited
		c.channel.End(nil)
		<-c.served
	})
	return c
}

// end waits for the end of the process, and returns the last word and the code.
func (c *rawChild) end(t testing.TB) (channel.Ended, int) {
	t.Helper()
	select {
	case <-c.exited:
	case <-time.After(limit):
		t.Fatalf("the actor has not ended within %v", limit)
	}
	code := c.cmd.ProcessState.ExitCode()
	select {
	case e := <-c.ended:
		return e, code
	case err := <-c.served:
		c.served <- err
	}
	select {
	case e := <-c.ended:
		return e, code
	default:
		t.Fatalf("the actor has ended with code %d and said nothing", code)
		return channel.Ended{}, 0
	}
}

// parentHelper starts an actor, says its pid, and lives until it is killed.
func parentHelper(args []string) int {
	c, err := startRaw()
	if err == nil {
		err = c.be(channel.Spawn{Name: "a", UID: "1", Parent: channel.Peer{Name: "parent"}, Entry: args[0], SIGINT: args[1]})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	json.NewEncoder(os.Stdout).Encode(c.cmd.Process.Pid)
	<-c.exited
	return 0
}

// signal sends a signal to the actor.
func (c *rawChild) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}
