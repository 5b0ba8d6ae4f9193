package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"golang.org/x/term"
)

// A tty is the child's own terminal, joined to what this command was started
// with: what is read from standard input is typed there, what the child shows
// is written to standard output. Its methods are for a nil tty as well, that of
// a child without one.
type tty struct {
	terminal *host.Terminal
	child    *os.File      // its other end; closed once the child has it
	in, out  *os.File      // not ours to close
	user     *userTerminal // nil when in is no terminal
	sized    *os.File      // the terminal whose size it has; nil when there is none
	signals  chan os.Signal

	over  chan struct{} // closed by close
	end   sync.Once     // closes over
	shown chan struct{} // closed when the output has been written, or cannot be
	gone  chan struct{} // closed when there is nobody left to show it to
	lose  sync.Once     // closes gone
	err   error         // of writing; read it behind gone
	hung  bool          // hangUp was called
}

// openTTY opens a terminal for the child, of the size and in the mode of the
// user's.
func openTTY(a *app) (*tty, error) {
	t := &tty{
		in: a.stdin, out: a.stdout, signals: make(chan os.Signal, 16),
		over: make(chan struct{}), shown: make(chan struct{}), gone: make(chan struct{}),
	}
	var size host.TerminalSize
	for _, f := range []*os.File{a.stdin, a.stdout, a.stderr} {
		if s, err := host.TerminalSizeOf(f); err == nil {
			t.sized, size = f, s
			break
		}
	}
	var err error
	if t.terminal, t.child, err = host.OpenTerminal(size); err != nil {
		return nil, err
	}
	if term.IsTerminal(int(a.stdin.Fd())) {
		t.user = &userTerminal{file: a.stdin, shared: !term.IsTerminal(int(a.stdout.Fd())), front: make(chan struct{}, 1)}
		t.user.lendMode(t.child)
	}
	return t, nil
}

// begin joins the terminals. The process is the child that has its end now.
func (t *tty) begin(p process) {
	if t == nil {
		return
	}
	t.child.Close()
	// In the background a read fails then, and does not stop this process,
	// which has a child to look after; and a write that nobody reads fails, and
	// does not end it.
	signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGPIPE)
	if t.sized != nil {
		signal.Notify(t.signals, syscall.SIGWINCH, syscall.SIGCONT)
	}
	catchStop(t.signals)
	t.user.enter()
	t.resize()
	// close ends them, but for one that waits for standard input or output: it
	// goes with the process.
	for _, f := range []func(){func() { t.copyIn(p) }, t.copyOut, t.watch, func() { t.drain(p) }} {
		go t.guarded(f)
	}
}

// guarded calls f. Should it panic, the user gets the terminal back first.
func (t *tty) guarded(f func()) {
	done := false
	defer func() {
		if !done {
			t.user.close()
		}
	}()
	f()
	done = true
}

// close ends everything and gives the user's terminal back.
func (t *tty) close() {
	if t == nil {
		return
	}
	t.end.Do(func() { close(t.over) })
	t.user.close()
	t.terminal.Close()
	t.child.Close()
}

// copyIn types what is read. In the background it waits for the foreground.
func (t *tty) copyIn(p process) {
	buf := make([]byte, 4096)
	for t.user.awaitTurn(p.Done()) {
		n, err := t.in.Read(buf)
		if n > 0 {
			if _, err := t.terminal.Write(buf[:n]); err != nil {
				return // nobody reads it any more
			}
		}
		switch {
		case err == nil:
		case t.user == nil || signal.Ignored(syscall.SIGHUP) || errors.Is(err, io.EOF) && t.user.shared && t.user.place() != hungUp:
			t.terminal.EndInput(context.Background()) // close ends it
			return
		case errors.Is(err, syscall.EIO) && t.user.await(t.over):
		default: // a terminal in raw mode has no end but this
			t.loses(nil)
			return
		}
	}
}

// copyOut writes what the child shows.
func (t *tty) copyOut() {
	defer close(t.shown)
	buf := make([]byte, 32<<10)
	for {
		n, err := t.terminal.Read(buf)
		if n > 0 {
			if _, werr := t.out.Write(buf[:n]); werr != nil {
				t.loses(werr)
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// drainTime is how long the child's descendants can go on writing after its
// end, as without a terminal.
const drainTime = 100 * time.Millisecond

func (t *tty) drain(p process) {
	select {
	case <-p.Done():
		t.terminal.Drain(drainTime)
	case <-t.over:
	}
}

// loses says that nobody is there any more to show the output to.
func (t *tty) loses(err error) {
	t.lose.Do(func() {
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.EIO) {
			t.err = err
		}
		close(t.gone)
	})
}

// lost is closed when the terminal is to be hung up.
func (t *tty) lost() <-chan struct{} {
	if t == nil || t.hung {
		return nil
	}
	return t.gone
}

// hangUp hangs the child's terminal up, when what it has shown is written.
func (t *tty) hangUp() {
	t.hung = true
	t.terminal.Drain(0)
	select {
	case <-t.shown:
	case <-time.After(drainTime):
	}
	t.terminal.Close()
}

// told reports whether sig says what hangUp has told the child already, because
// it is the same hangup.
func (t *tty) told(sig os.Signal) bool { return t != nil && t.hung && sig == syscall.SIGHUP }

// failed returns why the output could not be written, if it was for another
// reason than that its reader was gone.
func (t *tty) failed() error {
	if t == nil || !t.hung {
		return nil
	}
	return t.err
}

// lookAgain is how often one in the background looks whether it is in the
// foreground now: there is no event for that.
const lookAgain = 200 * time.Millisecond

// watch follows what happens to the user's terminal.
func (t *tty) watch() {
	defer signal.Stop(t.signals)
	for {
		var tick <-chan time.Time
		if t.user.isAway() {
			tick = time.After(lookAgain)
		}
		select {
		case <-t.over:
			return
		case <-tick:
			t.user.enter()
		case sig := <-t.signals:
			switch sig {
			case syscall.SIGTSTP:
				t.user.leave()
				stopSelf()
				t.user.enter()
			case syscall.SIGCONT:
				t.user.enter()
			}
		}
		t.resize()
	}
}

// resize gives the child's terminal the size of the user's.
func (t *tty) resize() {
	if t.sized == nil {
		return
	}
	if size, err := host.TerminalSizeOf(t.sized); err == nil && size.Rows+size.Columns > 0 {
		t.terminal.Resize(size)
	}
}
