package smoketest

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// keeperKilled is the sabotage by which there is no keeper when the child ends.
const keeperKilled = "keeper_killed"

// architecture is what Hatchery does, without a host: a keeper makes a worker by a
// list of system calls, the worker is handed a job while it waits, and the keeper
// reports its end; what is left it ends itself.
func architecture(ctx context.Context, s *stage) (string, error) {
	k, err := keeper.Start(keeper.Config{})
	if err != nil {
		return "", err
	}
	defer k.Close(time.Second, time.Second)
	at, _ := ctx.Deadline()
	worker, err := s.keepParked(ctx, k)
	if err != nil {
		return "", err
	}
	defer worker.conn.Close()
	idle, err := s.keepParked(ctx, k)
	if err != nil {
		return "", err
	}
	defer idle.conn.Close()
	if s.sabotaged(keeperKilled) {
		syscall.Kill(k.Pid(), syscall.SIGKILL) // the number is its own: k has it
	}
	if err := s.handOver(ctx, worker.conn, worker.pid, 10); err != nil {
		return "", err
	}
	e, err := worker.exit(ctx)
	if err != nil {
		return "", err
	}
	if err := k.Close(0, time.Until(at)); err != nil {
		return "", err
	}
	last, err := idle.exit(ctx)
	if err != nil {
		return "", err
	}
	if e.Status.Code != 10 || e.Status.Signal != 0 || last.Status.Signal != syscall.SIGKILL {
		return "", fmt.Errorf("the keeper reports %v, and of the worker that was left %v", e.Status, last.Status)
	}
	return fmt.Sprintf("a keeper made two Go workers in advance; one took a job and ended with %v; the keeper ended the other when it was closed, with %v", e.Status, last.Status), nil
}

// A kept is a worker that a keeper has made.
type kept struct {
	conn  *lane.Conn // closed by whoever had it made
	pid   int
	exits chan keeper.Exit
}

// keepParked has the keeper make a worker, and waits until it is parked.
func (s *stage) keepParked(ctx context.Context, k *keeper.Client) (*kept, error) {
	r, w, err := s.pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	ours, theirs, err := lane.Pair()
	if err != nil {
		return nil, unable("a socket: %w", err)
	}
	end := os.NewFile(uintptr(theirs), "lane")
	defer end.Close()
	conn, err := lane.Open(ours, lane.Polled)
	if err != nil {
		return nil, unable("a socket: %w", err)
	}
	plan, err := spawn.Standard(&spawn.Spec{}).AppendBinary(nil)
	if err != nil {
		conn.Close()
		return nil, err
	}
	cmd := command("parked") // the keeper is this program, too
	l := &keeper.Launch{Plan: plan, Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Files: []int{1, reportFD}, FDs: []int{fdOf(w), theirs}}
	worker := &kept{conn: conn, exits: make(chan keeper.Exit, 1)}
	started, err := k.Launch(ctx, l, func(e keeper.Exit) { worker.exits <- e })
	if err == nil {
		worker.pid = started.Pid
		syscall.Close(started.Pidfd)
		err = awaitParked(ctx, r)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return worker, nil
}

func awaitParked(ctx context.Context, r *os.File) error {
	at, _ := ctx.Deadline()
	r.SetReadDeadline(at)
	var word string
	if _, err := fmt.Fscanln(r, &word); err != nil || word != "parked" {
		return fmt.Errorf("the worker does not wait, but says %q: %v", word, err)
	}
	return nil
}

// exit waits for what the keeper says of the worker's end.
func (w *kept) exit(ctx context.Context) (keeper.Exit, error) {
	select {
	case e := <-w.exits:
		return e, nil
	case <-ctx.Done():
		return keeper.Exit{}, fmt.Errorf("the keeper has not reported the end of worker %d: %w", w.pid, ctx.Err())
	}
}
