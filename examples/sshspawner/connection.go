package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

//go:embed remote/relay.pl
var relayProgram string

// relayCommand is what is run there first: it reads its program from its input.
func relayCommand(nonce string, silence time.Duration) string {
	return fmt.Sprintf(`exec env PERL_BADLANG=0 perl -e 'while(length$c<$ARGV[0]){sysread(STDIN,$c,$ARGV[0]-length$c,length$c)or exit 1}`+
		`shift;eval$c;die$@if$@' %d %s %d`, len(relayProgram), nonce, int(silence.Seconds()))
}

// firstRoom is how many children a connection has at a time: the sessions that an
// sshd allows by default (MaxSessions), without the relay's.
const firstRoom = 9

// A connection is an ssh process, the relay at its other end, and the children that
// were started over it.
type connection struct {
	target target
	folder string   // private: 0700; removed at the end
	there  string   // the relay's folder
	stdin  *os.File // the relay's; closed by close
	ssh    *exec.Cmd
	words  lastWords     // what ssh has written to its standard error
	ended  chan struct{} // closed when ssh has ended
	lost   chan struct{} // closed when no child can be reached any more
	why    error         // valid after lost

	writing sync.Mutex

	mu       sync.Mutex
	heard    bool // something, since somebody looked
	room     int
	next     uint32
	children map[uint32]*child
}

// connect connects to a target. The connection is there when it returns.
func connect(ctx context.Context, t target) (*connection, error) {
	c := &connection{target: t, room: firstRoom, children: map[uint32]*child{}, ended: make(chan struct{}), lost: make(chan struct{})}
	var err error
	if c.folder, err = privateFolder(); err != nil {
		return nil, err
	}
	nonce := rand.Text()
	stdout, err := c.start(nonce)
	if err != nil {
		os.RemoveAll(c.folder)
		return nil, fmt.Errorf("starting ssh: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { c.ssh.Process.Kill() })
	r := bufio.NewReader(stdout)
	if c.there, err = hello(r, nonce); err != nil || !stop() {
		c.close(context.Background(), 0)
		stdout.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &spawn.Error{Kind: spawn.ErrUnavailable, Msg: t.name() + ": " + c.words.or("no connection, and no reason given")}
	}
	go c.read(r, stdout) // ends with ssh
	go c.beat()          // ends with the connection
	return c, nil
}

// privateFolder returns a new folder, whose path is short enough for a socket.
func privateFolder() (string, error) {
	parent := os.TempDir()
	if len(parent) > 50 {
		parent = "/tmp"
	}
	sweep(parent)
	return os.MkdirTemp(parent, fmt.Sprintf("hatchery-ssh-%d-*", os.Getpid()))
}

// sweep removes the folders of plugins that were killed.
func sweep(parent string) {
	old, _ := filepath.Glob(filepath.Join(parent, "hatchery-ssh-*-*"))
	for _, folder := range old {
		var pid int
		fmt.Sscanf(filepath.Base(folder), "hatchery-ssh-%d-", &pid)
		if pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			os.Remove(filepath.Join(folder, "control"))
			os.Remove(folder)
		}
	}
}

func (c *connection) control() string { return filepath.Join(c.folder, "control") }

// start starts ssh, and gives the relay its program.
func (c *connection) start(nonce string) (stdout *os.File, err error) {
	theirs, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	stdout, theirOut, err := os.Pipe()
	if err != nil {
		stdin.Close()
		return nil, err
	}
	defer theirOut.Close()
	args := append(c.target.arguments(c.control()), relayCommand(nonce, 3*c.target.alive))
	c.ssh, c.stdin = exec.Command("ssh", args...), stdin
	c.ssh.Stdin, c.ssh.Stdout, c.ssh.Stderr = theirs, theirOut, &c.words
	c.ssh.WaitDelay = time.Second
	if err := c.ssh.Start(); err != nil {
		stdin.Close()
		stdout.Close()
		return nil, err
	}
	go func() { // ends with ssh
		c.ssh.Wait()
		close(c.ended)
	}()
	io.WriteString(stdin, relayProgram) // into the pipe's buffer; should it fail, there will be no hello
	return stdout, nil
}

// hello skips what a login shell may have said, and returns the relay's folder.
func hello(r *bufio.Reader, nonce string) (folder string, err error) {
	const most = 1 << 20
	for said := 0; said < most; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return "", err
		}
		if _, after, ok := bytes.Cut(line, []byte(nonce)); ok {
			return string(bytes.TrimSuffix(after, []byte("\n"))), nil
		}
		said += len(line)
	}
	return "", errors.New("it is not the relay that answers")
}

// send sends a child's agent what it is to know; number 0 is the relay.
func (c *connection) send(number uint32, payload []byte) error {
	b := binary.BigEndian.AppendUint32(nil, number)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	c.writing.Lock()
	defer c.writing.Unlock()
	c.stdin.SetWriteDeadline(time.Now().Add(3 * c.target.alive))
	_, err := c.stdin.Write(append(b, payload...))
	return err
}

// read takes what the relay says, until it ends, and then tells every child.
func (c *connection) read(r *bufio.Reader, stdout *os.File) {
	defer stdout.Close()
	var head [8]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			break
		}
		payload := make([]byte, min(binary.BigEndian.Uint32(head[4:]), maxPacket))
		if _, err := io.ReadFull(r, payload); err != nil {
			break
		}
		c.mu.Lock()
		c.heard = true
		ch := c.children[binary.BigEndian.Uint32(head[:4])]
		c.mu.Unlock()
		if ch != nil {
			ch.hear(payload)
		}
	}
	c.fail("the other side has ended the connection")
}

// beat lets the relay hear something, and ends a connection on which nothing comes
// back.
func (c *connection) beat() {
	tick := time.NewTicker(c.target.alive)
	defer tick.Stop()
	for silent := 0; ; {
		select {
		case <-c.lost:
			return
		case <-tick.C:
		}
		c.mu.Lock()
		silent++
		if c.heard {
			silent = 0
		}
		c.heard = false
		c.mu.Unlock()
		if silent == 3 {
			c.fail(fmt.Sprintf("nothing was heard for %v", 3*c.target.alive))
			c.ssh.Process.Kill()
			return
		}
		c.send(0, nil) // should it fail, nothing will be heard
	}
}

// fail notes that the connection is of no use any more. What ssh has said of it
// comes a moment after its end.
func (c *connection) fail(why string) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C:
		c.ssh.Process.Kill() // one that hangs would keep its sessions, and their files, for ever
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.lost:
		return
	default:
	}
	c.why = fmt.Errorf("%s: %s", c.target.name(), c.words.or(why))
	close(c.lost)
}

// close ends the connection: the other side ends all that runs there. It waits for
// ssh as long as ctx lasts, or the time that is given, and ends it then.
func (c *connection) close(ctx context.Context, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c.stdin.Close()
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.ssh.Process.Kill()
		<-c.ended
	}
	os.RemoveAll(c.folder)
}

// lastWords keeps the end of what is written to it.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (w *lastWords) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, b...)
	w.text = w.text[max(0, len(w.text)-2000):]
	return len(b), nil
}

// or returns the last line that says something, quoted if need be, or else what is
// given.
func (w *lastWords) or(other string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(w.text), []byte("\n"))
	last := string(bytes.TrimSpace(lines[len(lines)-1]))
	if last == "" {
		return other
	}
	if q := strconv.Quote(last); q != `"`+last+`"` {
		return q
	}
	return last
}
