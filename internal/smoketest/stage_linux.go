package smoketest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A stage is where one run of a scenario happens.
type stage struct {
	sabotage string
	victims  []*victim
	files    []*os.File // closed by clear
	others   []int      // pidfds of what victims have started; closed by clear
}

// sabotaged reports whether this is how the mechanism is taken away.
func (s *stage) sabotaged(how string) bool { return s.sabotage == how }

// A victim is a process that was started for a scenario: this program, in a
// role. The end of its standard input ends it.
type victim struct {
	cmd   *exec.Cmd
	in    *os.File // to its standard input; closed by end
	out   *os.File // from its standard output; closed by end
	lines *bufio.Reader
	ended chan struct{} // closed when it has been waited for
	err   error         // of the wait; read after ended
}

// start starts a process in a role. change, if not nil, may change the command
// before.
func (s *stage) start(change func(*exec.Cmd), role string, args ...string) (*victim, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, unable("a pipe: %w", err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		in.Close()
		return nil, unable("a pipe: %w", err)
	}
	v := &victim{cmd: command(role, args...), in: in, out: out, lines: bufio.NewReader(out), ended: make(chan struct{})}
	v.cmd.Stdin, v.cmd.Stdout = theirIn, theirOut
	if change != nil {
		change(v.cmd)
	}
	err = v.cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, unable("starting a process: %w", err)
	}
	go func() { // until the process has ended, which clear waits for
		v.err = v.cmd.Wait()
		close(v.ended)
	}()
	s.victims = append(s.victims, v)
	return v, nil
}

// runVar is the environment variable by which the processes of a run can be told: it
// has the id of the process that runs the scenarios.
const runVar = "HATCHERY_SMOKETEST"

// command returns the command that is this program in a role. Nothing in its
// environment tells the Go runtime how to behave.
func command(role string, args ...string) *exec.Cmd {
	cmd := &exec.Cmd{Path: self, Args: append([]string{os.Args[0], argument, role}, args...)}
	run := os.Getenv(runVar)
	if run == "" {
		run = strconv.Itoa(os.Getpid())
	}
	cmd.Env = []string{"GORACE=atexit_sleep_ms=0", "GOTRACEBACK=none", runVar + "=" + run}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+dir)
	}
	return cmd
}

// self is the path of this program, which works when the file was replaced, too.
const self = "/proc/self/exe"

// line returns the next line that the victim says.
func (v *victim) line(ctx context.Context) (string, error) {
	at, _ := ctx.Deadline()
	v.out.SetReadDeadline(at)
	text, err := v.lines.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("waiting for what %s says: %w", v.role(), err)
	}
	return strings.TrimSuffix(text, "\n"), nil
}

// expect returns what is behind a word in the next line, which has to begin with
// it. A line that begins with "error" says that this machine cannot do it.
func (v *victim) expect(ctx context.Context, word string) (string, error) {
	text, err := v.line(ctx)
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(text, word)
	switch {
	case strings.HasPrefix(text, "error "):
		return "", unable("%s: %s", v.role(), text)
	case !ok:
		return "", fmt.Errorf("%s said %q where %q was due", v.role(), text, word)
	}
	return strings.TrimSpace(rest), nil
}

// tell writes a line to the victim's standard input.
func (v *victim) tell(ctx context.Context, line string) error {
	at, _ := ctx.Deadline()
	v.in.SetWriteDeadline(at)
	if _, err := v.in.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("telling %s: %w", v.role(), err)
	}
	return nil
}

func (v *victim) role() string { return "the process " + v.cmd.Args[2] }

func (v *victim) pid() int { return v.cmd.Process.Pid }

// wait waits for the end of the victim.
func (v *victim) wait(ctx context.Context) (syscall.WaitStatus, error) {
	select {
	case <-v.ended:
	case <-ctx.Done():
		return 0, fmt.Errorf("%s has not ended: %w", v.role(), ctx.Err())
	}
	var ee *exec.ExitError
	if v.err != nil && !errors.As(v.err, &ee) {
		return 0, fmt.Errorf("waiting for %s: %w", v.role(), v.err)
	}
	return v.cmd.ProcessState.Sys().(syscall.WaitStatus), nil
}

// end ends the victim, and kills it when the timer says that it is late.
func (v *victim) end(late *time.Timer) {
	v.in.Close()
	select {
	case <-v.ended:
	case <-late.C:
		late.Reset(0) // the others are, too
		v.cmd.Process.Kill()
		<-v.ended
	}
	v.out.Close()
}

// clear closes and ends what the scenario has opened and started.
func (s *stage) clear() {
	for _, f := range s.files {
		f.Close()
	}
	for _, v := range s.victims {
		v.in.Close()
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for _, v := range s.victims {
		v.end(late)
	}
	for _, pidfd := range s.others {
		if linux.AwaitExit(pidfd, patience/2); !linux.Exited(pidfd) {
			linux.PidfdSignal(pidfd, syscall.SIGKILL)
			linux.AwaitExit(pidfd, patience/2)
		}
		syscall.Close(pidfd)
	}
}

// follow has clear wait for the end of a process that a victim has started, and
// returns a pidfd of it, which is clear's to close.
func (s *stage) follow(pid int) (pidfd int, err error) {
	if pidfd, err = linux.PidfdOpen(pid); err != nil {
		return -1, unable("%w", err)
	}
	s.others = append(s.others, pidfd)
	return pidfd, nil
}

// pipe returns a pipe, both ends of which clear closes.
func (s *stage) pipe() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err != nil {
		return nil, nil, unable("a pipe: %w", err)
	}
	s.files = append(s.files, r, w)
	return r, w, nil
}
