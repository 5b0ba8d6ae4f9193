package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/proctree"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	// answerTime is what a host has to answer: longer than it takes for a dump.
	answerTime = 4 * time.Second
	// lookTime bounds the look at /proc.
	lookTime = 2 * time.Second
	// maxAnswer is more than a dump has.
	maxAnswer = 16 << 20
)

// Dump writes what there is to know of the hosts in the process pid: their own
// reports (see host.Host.Dump) when they give them within 4 s, and otherwise,
// with the reason first, what /proc shows of the process and everything below
// it. A process that is no host is shown that way too.
//
// The error matches syscall.ESRCH when there is no such process, and is that
// of w when it cannot be written to. Dump takes no longer than 7 s, less
// when ctx ends, and needs no more rights than the process's own user has.
func Dump(ctx context.Context, pid int, w io.Writer) error {
	s, err := linux.ReadStat(pid)
	if errors.Is(err, errors.ErrUnsupported) {
		return failed("there is no /proc on this system", err)
	}
	if err != nil || s.State == 'X' {
		return noProcess(pid)
	}
	var answers [][]byte
	reasons := []string{"it is stopped: it was not asked"}
	if s.State != 'T' && s.State != 't' {
		answers, reasons = ask(ctx, pid)
	}
	if len(answers) > 0 {
		_, err := w.Write(bytes.Join(answers, []byte("\n")))
		return err
	}
	b := fmt.Appendf(nil, "process %d, %s, seen from outside at %s\n", pid, proctree.Plain(s.Comm), time.Now().Format(time.RFC3339Nano))
	for _, r := range reasons {
		b = fmt.Appendf(b, "%s\n", r)
	}
	look, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	b = append(b, "\n== processes\n"...)
	b = proctree.Take(look, pid).Append(b)
	_, err = w.Write(append(b, "\n== end of the dump\n"...))
	return err
}

// ask asks all hosts of a process at once. reasons says why there is no answer.
func ask(ctx context.Context, pid int) (answers [][]byte, reasons []string) {
	folders := foldersOf(pid)
	if len(folders) == 0 {
		return nil, []string{"it is no host that could be asked: it has no keeper"}
	}
	type result struct {
		answer []byte
		err    error
	}
	results := make([]chan result, len(folders))
	for i, dir := range folders {
		results[i] = make(chan result, 1)
		go func() { // ended by its deadline
			b, err := askOne(ctx, pid, dir)
			results[i] <- result{b, err}
		}()
	}
	for i, r := range results {
		switch r := <-r; {
		case r.err != nil:
			reasons = append(reasons, fmt.Sprintf("the host with the folder %s did not answer: %v", proctree.Plain(folders[i]), r.err))
		default:
			answers = append(answers, r.answer)
		}
	}
	if len(answers) > 0 && len(reasons) > 0 { // of several hosts some are silent
		answers = append(answers, []byte(fmt.Sprintln(reasons)))
	}
	return answers, reasons
}

// keeperName is the name of every keeper, whose only argument is the runtime
// folder.
const keeperName = "hatchery-keeper"

// foldersOf returns the runtime folders of a process: what its keepers say.
func foldersOf(pid int) (dirs []string) {
	seen := map[string]bool{}
	for _, c := range linux.Children(pid) {
		if dir := keeperFolder(c); dir != "" && !seen[dir] {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) > 0 {
		return dirs
	}
	// Its keeper was killed, and no other needed yet.
	self, _ := runfolder.ProcessOf(pid)
	for _, dir := range runfolder.Places(os.Geteuid()) {
		if p, _ := runfolder.NamedAfter(filepath.Base(dir)); p == self {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// keeperFolder returns the runtime folder that a process keeps, or "".
func keeperFolder(pid int) string {
	if args := keeperArgs(pid); len(args) == 1 {
		return args[0]
	}
	return ""
}

// anyKeeperFolder is keeperFolder for the keepers of detached children as well,
// which have a second argument.
func anyKeeperFolder(pid int) string {
	if args := keeperArgs(pid); len(args) > 0 {
		return args[0]
	}
	return ""
}

// keeperArgs returns the arguments of a process that is a keeper.
func keeperArgs(pid int) (args []string) {
	if s, err := linux.ReadStat(pid); err != nil || s.Comm != keeperName {
		return nil
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	args = strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	if err != nil || args[0] != keeperName {
		return nil
	}
	return args[1:]
}

// askOne asks the host that a runtime folder belongs to.
func askOne(ctx context.Context, pid int, dir string) ([]byte, error) {
	deadline := time.Now().Add(answerTime)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", runfolder.Control(dir))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := checkPeer(conn, pid); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(conn, maxAnswer))
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("nothing came within %v: it is stopped, or stuck", answerTime)
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, errors.New("it refused: only its own user and root may ask")
	}
	return b, nil
}

func noProcess(pid int) error {
	return &spawn.Error{Op: "dump", Errno: esrch, Msg: fmt.Sprintf("process %d", pid)}
}

func failed(msg string, err error) error {
	return &spawn.Error{Op: "dump", Msg: msg, Err: err}
}
