package smoketest

import (
	"context"
	"fmt"
	"strconv"
	"syscall"
	"time"
)

// notStopped is the sabotage by which the process runs while it is asked to end.
const notStopped = "not_stopped"

// stoppedPluginKill asks a process to end that is stopped: by a message, by
// SIGTERM, by SIGKILL.
func stoppedPluginKill(ctx context.Context, s *stage) (string, error) {
	// Nothing but a signal ends a stopped process, so it is to end with this one.
	var v *victim
	var err error
	starter := newThread()
	defer starter.end(ctx)
	starter.do(func() { v, err = s.startTied(ctx) })
	if err != nil {
		return "", err
	}
	if !s.sabotaged(notStopped) {
		syscall.Kill(v.pid(), syscall.SIGSTOP) // the number is its own: clear waits for it
		if err := awaitState(ctx, v.pid(), "T"); err != nil {
			return "", err
		}
	}
	if err := v.tell(ctx, "exit 0"); err != nil {
		return "", err
	}
	syscall.Kill(v.pid(), syscall.SIGTERM)
	state, pending := stateOf(v.pid()), pendingSignal(fmt.Sprintf("/proc/%d/", v.pid()), syscall.SIGTERM)
	if state != "T" || !pending {
		return "", fmt.Errorf("the process is in state %s, and SIGTERM is pending: %v", state, pending)
	}
	syscall.Kill(v.pid(), syscall.SIGKILL)
	status, err := v.wait(ctx)
	switch {
	case err != nil:
		return "", err
	case !status.Signaled() || status.Signal() != syscall.SIGKILL:
		return "", fmt.Errorf("it ended with %s", statusText(status))
	}
	return "stopped (state T), the process left the message unread and SIGTERM pending, for as long as one likes; SIGKILL ended it", nil
}

// stateOf returns the state of a process, by its letter in proc(5), or nothing.
func stateOf(pid int) string {
	fields, err := statOf(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	return fields[0]
}

// awaitState waits until a process is in a state.
func awaitState(ctx context.Context, pid int, state string) error {
	return poll(ctx, func() bool { return stateOf(pid) == state }, "process %d is not in state %s, but in %s", pid, state, stateOf(pid))
}

// poll waits until something is so that tells nobody.
func poll(ctx context.Context, is func() bool, otherwise string, args ...any) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf(otherwise+": %w", append(args, ctx.Err())...)
		}
	}
	return nil
}

// pendingSignal reports whether a signal is pending at a process or at a thread, by
// its folder of proc(5).
func pendingSignal(dir string, sig syscall.Signal) bool {
	for _, name := range []string{"SigPnd", "ShdPnd"} {
		set, _ := strconv.ParseUint(statusLine(dir, name), 16, 64)
		if set&(1<<(sig-1)) != 0 {
			return true
		}
	}
	return false
}
