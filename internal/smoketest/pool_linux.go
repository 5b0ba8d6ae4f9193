package smoketest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// emptyPool is the sabotage by which the parked processes have ended before there
// is something to do.
const emptyPool = "empty_pool"

// A worker is a process that was started before there was anything to do.
type worker struct {
	*victim
	lane *lane.Conn // closed by closeAll
}

// parkedPool starts processes that wait, and then hands each a job.
func parkedPool(ctx context.Context, s *stage) (string, error) {
	var pool []*worker
	defer func() {
		for _, w := range pool {
			w.lane.Close()
		}
	}()
	for range 3 {
		w, err := s.park()
		if err != nil {
			return "", err
		}
		pool = append(pool, w)
	}
	for _, w := range pool {
		if _, err := w.expect(ctx, "parked"); err != nil {
			return "", err
		}
		if s.sabotaged(emptyPool) {
			w.cmd.Process.Kill()
			<-w.ended
		}
	}
	for i, w := range pool {
		if err := s.handOver(ctx, w.lane, w.pid(), 10+i); err != nil {
			return "", err
		}
		status, err := w.wait(ctx)
		if err == nil && status.ExitStatus() != 10+i {
			err = fmt.Errorf("the worker ended with %s", statusText(status))
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d Go processes that had been started and were waiting took a message and a descriptor each, did the job, and exited with its code", len(pool)), nil
}

// park starts a worker.
func (s *stage) park() (*worker, error) {
	ours, theirs, err := lane.Pair()
	if err != nil {
		return nil, unable("a socket: %w", err)
	}
	conn, err := lane.Open(ours, lane.Polled)
	end := os.NewFile(uintptr(theirs), "lane")
	defer end.Close()
	if err != nil {
		return nil, unable("a socket: %w", err)
	}
	v, err := s.start(func(c *exec.Cmd) { c.ExtraFiles = []*os.File{end} }, "parked")
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &worker{v, conn}, nil
}

// handOver gives a worker a job, which is to write its process id and the code to a
// pipe and to exit with the code, and reads what it writes.
func (s *stage) handOver(ctx context.Context, to *lane.Conn, pid, code int) error {
	r, w, err := s.pipe()
	if err != nil {
		return err
	}
	err = to.Send(&lane.Frame{Type: 1, ID: uint64(code), Payload: []byte("job"), FDs: []int{fdOf(w)}})
	w.Close()
	if err != nil {
		return fmt.Errorf("handing over: %w", err)
	}
	at, _ := ctx.Deadline()
	r.SetReadDeadline(at)
	b := make([]byte, 64)
	n, err := r.Read(b)
	if err != nil {
		return fmt.Errorf("the worker did not do the job: %w", err)
	}
	if got, want := string(b[:n]), fmt.Sprintf("%d job %d", pid, code); got != want {
		return fmt.Errorf("the worker wrote %q, and not %q", got, want)
	}
	return nil
}

// fdOf returns the descriptor of a file, which stays as it is.
func fdOf(f *os.File) int {
	n, _ := control(f, func(fd uintptr) (uintptr, syscall.Errno) { return fd, 0 })
	return n
}

// parked is a worker.
func parked([]string) int {
	conn, err := lane.Open(reportFD, lane.Blocking)
	if err != nil {
		say("error %v", err)
		return 1
	}
	say("parked")
	var f lane.Frame
	if err := conn.Recv(&f); err != nil || len(f.FDs) != 1 {
		return 0 // nobody needs it any more
	}
	out := os.NewFile(uintptr(f.FDs[0]), "out")
	fmt.Fprint(out, strings.Join([]string{strconv.Itoa(os.Getpid()), string(f.Payload), strconv.FormatUint(f.ID, 10)}, " "))
	return int(f.ID)
}
