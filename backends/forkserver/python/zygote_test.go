//go:build linux

package python_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkserver/python"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A zygote is a template, and this process the keeper: the children are this
// process's own.
type zygote struct {
	cmd  *exec.Cmd
	mu   sync.Mutex // one request at a time
	conn *net.UnixConn
	last bytes.Buffer // standard error of the template
}

// boot starts the template that Recognize wants for s.
func boot(s *spawn.Spec, preload []string) (*zygote, error) {
	b, why := python.Recognize(s, preload, new(spawn.Basis))
	if why != "" || b.Args == nil {
		return nil, fmt.Errorf("not recognized: %q", why)
	}
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	z := &zygote{conn: ours}
	z.cmd = &exec.Cmd{Path: s.Path, Args: b.Args, Dir: bootDir(b, s), ExtraFiles: []*os.File{theirs}, Stderr: &z.last}
	z.cmd.Env = append(bootEnvironment(b.Env, s.Env), "HATCHERY_ZYGOTE=3")
	if err := z.cmd.Start(); err != nil {
		return nil, err
	}
	theirs.Close() // so that the end of the template is the end of the channel
	hello, err := readFrame(z.conn)
	if err != nil || strings.Join(hello, " ") != "ready fork 1" {
		z.end()
		return nil, fmt.Errorf("boot: %q, %v: %s", hello, err, &z.last)
	}
	return z, nil
}

// bootDir returns where a template is started.
func bootDir(b python.Boot, s *spawn.Spec) string {
	if b.Here {
		return s.Dir
	}
	return "/"
}

// bootEnvironment fills in what a Boot says of the environment.
func bootEnvironment(entries, child []string) (env []string) {
	for _, e := range entries {
		prefix, some := strings.CutSuffix(e, "*")
		for _, c := range child {
			name, _, _ := strings.Cut(c, "=")
			if some && strings.HasPrefix(name, prefix) || name == e {
				env = append(env, c)
			}
		}
		if strings.Contains(e, "=") {
			env = append(env, e)
		}
	}
	return env
}

func (z *zygote) end() {
	z.conn.Close()
	_ = z.cmd.Wait()
}

// A request is one run frame.
type request struct {
	settings, args, env []string
	dir                 string
	files               []*os.File // descriptors 0, 1 ...
}

// run starts a child, from a process that was made ahead, and returns its pid when
// it has become its program.
func (z *zygote) run(r request) (pid int, err error) {
	p, err := z.fork("ahead")
	if err != nil {
		return 0, err
	}
	return p.run(r)
}

// A parked process is to become a child.
type parked struct {
	pid  int
	conn *net.UnixConn
}

// fork has a process made for a child, which is ready if it is made ahead.
func (z *zygote) fork(when string) (*parked, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	answer, err := z.ask([]string{"fork", "17", when}, syscall.UnixRights(int(theirs.Fd())))
	if err != nil {
		ours.Close()
		return nil, err
	}
	if answer[0] != "born" {
		ours.Close()
		return nil, errors.New(strings.Join(answer, " "))
	}
	theirs.Close()
	p := &parked{conn: ours}
	if p.pid, err = strconv.Atoi(answer[2]); err == nil && when == "ahead" {
		var ready []string
		if ready, err = readFrame(ours); err == nil && strings.Join(ready, " ") != "ready pool 1" {
			err = fmt.Errorf("it said %q instead of being ready", ready)
		}
	}
	if err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// end ends a process that became no child.
func (p *parked) end() {
	p.conn.Close()
	_, _ = syscall.Wait4(p.pid, nil, 0, nil)
}

// run tells p what to be, and waits until it is.
func (p *parked) run(r request) (pid int, err error) {
	defer p.conn.Close()
	report, theirs, err := socketpair()
	if err != nil {
		return 0, err
	}
	defer report.Close()
	defer theirs.Close()
	dir, err := os.Open(r.dir)
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	fds := []int{int(theirs.Fd())}
	var settings []string
	for i, f := range r.files {
		settings = append(settings, fmt.Sprintf("fd=%d", i))
		fds = append(fds, int(f.Fd()))
	}
	fds = append(fds, int(dir.Fd()))
	settings = append(append(settings, "umask=0027", "cwd"), r.settings...)

	fields := []string{"run", "17"}
	for _, list := range [][]string{settings, r.args, r.env} {
		fields = append(append(fields, strconv.Itoa(len(list))), list...)
	}
	if err := writeFrame(p.conn, fields, syscall.UnixRights(fds...)); err != nil {
		return 0, err
	}
	theirs.Close()
	if told, err := readFrame(report); err != nil || told[0] != "started" {
		_, _ = syscall.Wait4(p.pid, nil, 0, nil)
		return 0, fmt.Errorf("report: %q, %v", told, err)
	}
	return p.pid, nil
}

func (z *zygote) ask(fields []string, rights []byte) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if err := writeFrame(z.conn, fields, rights); err != nil {
		return nil, err
	}
	return readFrame(z.conn)
}

func writeFrame(c *net.UnixConn, fields []string, rights []byte) error {
	payload := strings.Join(fields, "\x00")
	frame := append(binary.LittleEndian.AppendUint32(nil, uint32(len(payload))), payload...)
	n, _, err := c.WriteMsgUnix(frame, rights, nil)
	if err == nil && n < len(frame) {
		_, err = c.Write(frame[n:])
	}
	return err
}

func readFrame(r io.Reader) ([]string, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	payload := make([]byte, binary.LittleEndian.Uint32(head[:]))
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, err
	}
	return strings.Split(string(payload), "\x00"), nil
}

func socketpair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "channel")
	defer f.Close()
	theirs = os.NewFile(uintptr(fds[1]), "channel")
	c, err := net.FileConn(f)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return c.(*net.UnixConn), theirs, nil
}

// templates shares templates among the tests of one interpreter.
type templates struct {
	mu    sync.Mutex
	byKey map[string]*zygote
}

func newTemplates(t testing.TB) *templates {
	ts := &templates{byKey: map[string]*zygote{}}
	t.Cleanup(func() {
		for _, z := range ts.byKey {
			z.end()
		}
	})
	return ts
}

func (ts *templates) get(s *spawn.Spec, preload []string) (*zygote, error) {
	b, why := python.Recognize(s, preload, new(spawn.Basis))
	if why != "" {
		return nil, errors.New(why)
	}
	key := fmt.Sprintf("%q %q %q", b.Args, bootDir(b, s), bootEnvironment(b.Env, s.Env))
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if z := ts.byKey[key]; z != nil {
		return z, nil
	}
	z, err := boot(s, preload)
	if err == nil {
		ts.byKey[key] = z
	}
	return z, err
}
