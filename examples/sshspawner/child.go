package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

//go:embed remote/agent.pl
var agentProgram string

// agentCommand is what a session runs: it reads its program from the relay.
func agentCommand(there string, number uint32) string {
	return fmt.Sprintf(`exec env PERL_BADLANG=0 perl -e 'socket(S,1,1,0)&&connect(S,pack("Sa*",1,"$ARGV[0]/s"))or die"$!\n";syswrite S,pack("N",$ARGV[1]);`+
		`while(length$c<$ARGV[2]){sysread(S,$c,$ARGV[2]-length$c,length$c)or exit 1}eval$c;die$@if$@' %s %d %d`, there, number, len(agentProgram))
}

// How long the end of a child is held back for its output: when something that it
// has left behind may hold that for ever, and when nobody may read it any more.
const (
	drainLeft    = 200 * time.Millisecond
	drainHurried = 500 * time.Millisecond
)

// unheard is how long an agent that has ended is waited for to have said why: that
// comes over another session.
const unheard = 2 * time.Second

// A child is a program that runs there.
type child struct {
	conn    *connection
	number  uint32
	session *session // set before the child is handed out

	said    []byte        // not understood yet: half a message. For hear alone
	started chan error    // has room for the one answer
	ended   chan wait     // has room for the one status
	gone    chan struct{} // closed when the agent is
	over    chan struct{} // closed when the session is, and the output was delivered
	hurried chan struct{} // closed when the host wants the end
	code    int           // what the session ended with; valid after over

	going, hurrying sync.Once // close gone and hurried
}

// A wait is what the agent says of the end.
type wait struct {
	status uint16 // as wait(2) has it on Linux
	left   bool   // something that the program has left behind
}

func (w wait) exit() spawn.ExitStatus {
	s := spawn.ExitStatus{Code: int(w.status >> 8), Source: spawn.FromBackend, Time: time.Now()}
	if sig := w.status & 0x7f; sig != 0 {
		s.Code, s.Signal, s.Core = -1, syscall.Signal(sig), w.status&0x80 != 0
	}
	return s
}

// begin starts a child that has a place on the connection.
func (c *connection) begin(ctx context.Context, s *spawn.Spec, number uint32) (*child, error) {
	ch := &child{
		conn: c, number: number, started: make(chan error, 1), ended: make(chan wait, 1),
		gone: make(chan struct{}), over: make(chan struct{}), hurried: make(chan struct{}),
	}
	c.mu.Lock()
	c.children[number] = ch
	c.mu.Unlock()
	files, null, err := stdio(s)
	if err != nil {
		c.leave(number)
		return nil, err
	}
	defer null.Close()
	// What it is to be first: the agent asks for it when it is there.
	if err := c.send(number, append([]byte(agentProgram), request(s)...)); err != nil {
		c.leave(number)
		return nil, c.gone(err)
	}
	ch.session, err = openSession(ctx, c.control(), agentCommand(c.there, number), files)
	if err != nil {
		c.send(number, nil)
		c.leave(number)
		return nil, err
	}
	go ch.watch() // ends with the session and the agent
	if err := ch.start(ctx); err != nil {
		ch.abandon()
		return nil, err
	}
	return ch, nil
}

// stdio returns the descriptors 0, 1 and 2 of a Spec, with the null device where it
// has none.
func stdio(s *spawn.Spec) (files [3]*os.File, null *os.File, err error) {
	null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	for n := range files {
		files[n] = null
		if n < len(s.Files) && s.Files[n] != nil {
			files[n] = s.Files[n]
		}
	}
	return files, null, err
}

// request returns what the agent is told of a Spec.
func request(s *spawn.Spec) []byte {
	var b []byte
	number := func(n int) { b = binary.BigEndian.AppendUint32(b, uint32(n)) }
	item := func(s string) { number(len(s)); b = append(b, s...) }
	list := func(all []string) {
		number(len(all))
		for _, s := range all {
			item(s)
		}
	}
	item(s.Path)
	item(s.Dir)
	list(s.Argv())
	number(map[bool]int{true: 1}[s.Env != nil])
	list(s.Env)
	if s.Umask != nil {
		number(int(*s.Umask))
	} else {
		number(0xffff) // that which it finds there
	}
	null := ""
	for n := range 3 {
		if n >= len(s.Files) || s.Files[n] == nil {
			null += string(rune(n))
		}
	}
	item(null)
	return b
}

// start waits until the program runs, or cannot.
func (ch *child) start(ctx context.Context) error {
	select {
	case err := <-ch.started:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-ch.conn.lost:
		return ch.conn.gone(nil)
	case <-ch.over:
	}
	timer := time.NewTimer(unheard)
	defer timer.Stop()
	select {
	case err := <-ch.started:
		return err
	case <-ch.gone:
		select {
		case err := <-ch.started:
			return err
		default:
		}
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return fmt.Errorf("%s: the agent ended with %d before it had started the program", ch.conn.target.name(), ch.code)
}

// abandon has nothing stay of a child that nobody gets.
func (ch *child) abandon() {
	ch.conn.send(ch.number, []byte("k"))
	ch.conn.send(ch.number, nil) // should the agent not be there yet
	ch.session.close()
}

// watch waits for the end of the session, and then makes room for another.
func (ch *child) watch() {
	ch.code = ch.session.wait()
	ch.session.close()
	close(ch.over)
	timer := time.NewTimer(unheard)
	defer timer.Stop()
	select {
	case <-ch.gone:
	case <-ch.conn.lost:
	case <-timer.C:
	}
	ch.conn.leave(ch.number)
}

// hear takes what the agent says; nothing means that it has ended.
func (ch *child) hear(b []byte) {
	if len(b) == 0 {
		ch.going.Do(func() { close(ch.gone) })
		return
	}
	ch.said = append(ch.said, b...)
	for len(ch.said) > 0 {
		n := map[byte]int{'S': 5, 'F': 6, 'E': 4}[ch.said[0]]
		if len(ch.said) < n {
			return
		}
		if n == 0 { // that is no agent
			ch.said = nil
			return
		}
		m := ch.said[:n]
		ch.said = ch.said[n:]
		switch m[0] {
		case 'S':
			ch.answer(nil)
		case 'F':
			ch.answer(failure(m[1], syscall.Errno(binary.BigEndian.Uint32(m[2:]))))
		case 'E':
			select {
			case ch.ended <- wait{binary.BigEndian.Uint16(m[1:]), m[3] == '1'}:
			default:
			}
		}
	}
}

func (ch *child) answer(err error) {
	select {
	case ch.started <- err:
	default:
	}
}

// failure is why the program does not run.
func failure(stage byte, errno syscall.Errno) error {
	if stage == 'd' {
		return &spawn.Error{Phase: spawn.PhaseSetup, Op: "chdir", Errno: errno}
	}
	return &spawn.Error{Phase: spawn.PhaseExec, Op: "exec", Errno: errno}
}

// Wait waits for the end of the program, and for its output.
func (ch *child) Wait() spawn.ExitStatus {
	var w wait
	select {
	case w = <-ch.ended:
	case <-ch.gone:
		select {
		case w = <-ch.ended: // said before it went
		default:
			return ch.lost(errors.New("the agent has ended, and has not said how the program did"))
		}
	case <-ch.conn.lost:
		select {
		case w = <-ch.ended:
		default:
			return ch.lost(ch.conn.gone(nil))
		}
	}
	ch.deliver(w.left)
	return w.exit()
}

func (ch *child) lost(why error) spawn.ExitStatus {
	return spawn.ExitStatus{Code: -1, Source: spawn.Lost, Reason: why.Error()}
}

// deliver waits until the output of a program that has ended has arrived: as long
// as its reader takes, unless the output may be held by something that is left, or the
// host is in a hurry.
func (ch *child) deliver(left bool) {
	if !left {
		select {
		case <-ch.over:
			return
		case <-ch.conn.lost:
			return
		case <-ch.hurried:
		}
	}
	timer := time.NewTimer(map[bool]time.Duration{true: drainLeft, false: drainHurried}[left])
	defer timer.Stop()
	select {
	case <-ch.over:
	case <-ch.conn.lost:
	case <-timer.C:
	}
}

// Signal sends a signal to the program; SIGKILL to everything below it as well.
func (ch *child) Signal(sig syscall.Signal) error {
	say := []byte{'s', byte(sig)}
	if sig == syscall.SIGKILL {
		say = []byte{'k'}
	}
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
		ch.hurrying.Do(func() { close(ch.hurried) })
	}
	select {
	case <-ch.gone:
		return syscall.ESRCH
	case <-ch.conn.lost:
		return syscall.ESRCH
	default:
	}
	return ch.conn.send(ch.number, say)
}
