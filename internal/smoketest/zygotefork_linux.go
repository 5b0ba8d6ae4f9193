package smoketest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// goZygote is the sabotage by which the zygote is a Go program.
const goZygote = "go_zygote"

// zygoteFork has a program with a single thread fork children, which have what it
// has in memory, and this process for their parent.
func zygoteFork(ctx context.Context, s *stage) (string, error) {
	if s.sabotaged(goZygote) {
		f, err := s.startForker(ctx, "forker", "gc", "")
		if err != nil {
			return "", err
		}
		fate, err := watch(ctx, f.pid, f.pipe)
		if err == nil && !fate.done {
			err = fmt.Errorf("the child of a Go zygote: %s", fate.how)
		}
		return "the child of a Go zygote did its task", err
	}
	warm := []byte("warm" + fmt.Sprintf("%04d", os.Getpid()%10000))
	zygote, err := s.startZygote()
	if err != nil {
		return "", err
	}
	at, _ := ctx.Deadline()
	zygote.in.SetWriteDeadline(at)
	zygote.out.SetReadDeadline(at)
	if _, err := zygote.in.Write(warm); err != nil {
		return "", err
	}
	const children = 3
	for code := 1; code <= children; code++ {
		if err := zygote.forkOne(byte(code), warm); err != nil {
			return "", err
		}
	}
	if n := len(threads(zygote.pid())); n != 1 {
		return "", fmt.Errorf("the zygote has %s", count(n, "thread"))
	}
	return fmt.Sprintf("a zygote with 1 thread forked %d children of this process, which executed nothing, had its memory, and exited with their codes", children), nil
}

// startZygote starts the program. Its standard input and output are the victim's.
func (s *stage) startZygote() (*victim, error) {
	program := zygoteProgram()
	if program == nil {
		return nil, unable("there is no zygote for this processor")
	}
	fd, err := linux.ProgramMemfd("zygote", program)
	if err != nil {
		return nil, unable("%w", err)
	}
	file := os.NewFile(uintptr(fd), "zygote")
	s.files = append(s.files, file)
	return s.start(func(c *exec.Cmd) {
		c.Path, c.Args, c.Env = "/proc/self/fd/"+strconv.Itoa(fd), []string{"zygote", "", "zygote"}, nil
	}, "zygote")
}

// forkOne has the zygote fork a child that exits with code, and waits for that.
func (v *victim) forkOne(code byte, warm []byte) error {
	if _, err := v.in.Write([]byte{code}); err != nil {
		return err
	}
	var said [16]byte
	if _, err := io.ReadFull(v.out, said[:]); err != nil {
		return fmt.Errorf("the child said nothing: %w", err)
	}
	pid := int(binary.NativeEndian.Uint64(said[8:]))
	// It ends now, and is this process's to wait for: till then its number is its
	// own, and /proc has it.
	is, err := forkedOnly(pid)
	var status syscall.WaitStatus
	for {
		_, werr := syscall.Wait4(pid, &status, 0, nil)
		if werr == syscall.EINTR {
			continue
		}
		if werr != nil {
			return fmt.Errorf("the child is not this process's: wait4: %w", werr)
		}
		break
	}
	switch {
	case err != nil:
		return err
	case !is:
		return fmt.Errorf("process %d has executed a program", pid)
	case !bytes.Equal(said[:8], warm):
		return fmt.Errorf("the child has %q in its memory, and not %q", said[:8], warm)
	case status.ExitStatus() != int(code):
		return fmt.Errorf("the child ended with %s", statusText(status))
	}
	return nil
}
