//go:build unix

package wire_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A child ends by SIGKILL or when exit is closed.
type child struct {
	exit    chan struct{}
	once    sync.Once
	mu      sync.Mutex
	signals []syscall.Signal
}

func newChild() *child { return &child{exit: make(chan struct{})} }

func (c *child) Wait() spawn.ExitStatus {
	<-c.exit
	return spawn.ExitStatus{Code: 7, Source: spawn.FromBackend, Time: time.Unix(1, 2)}
}

func (c *child) Signal(sig syscall.Signal) error {
	c.mu.Lock()
	c.signals = append(c.signals, sig)
	c.mu.Unlock()
	if sig == syscall.SIGKILL {
		c.end()
	}
	if sig == syscall.SIGWINCH {
		return fmt.Errorf("no window: %w", syscall.ENOTTY)
	}
	return nil
}

func (c *child) end() { c.once.Do(func() { close(c.exit) }) }

func (c *child) got() []syscall.Signal {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signals
}

func TestSpawnExitSignal(t *testing.T) {
	c := newChild()
	p := connect(t, backend{spawn: func(_ context.Context, s *spawn.Spec) (wire.LaneChild, error) {
		s.Files[1].WriteString("hello from " + s.Path)
		if s.Files[0] != nil {
			return nil, errors.New("descriptor 0 was not asked for")
		}
		return c, nil
	}})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	remote, err := p.Spawn(t.Context(), &spawn.Spec{Path: "far away", Files: []*os.File{nil, w}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, _ := r.Read(buf)
	if string(buf[:n]) != "hello from far away" {
		t.Errorf("read %q", buf[:n])
	}
	if n, err := r.Read(buf); n != 0 || err == nil {
		t.Errorf("the pipe is still open on the other side: %d, %v", n, err)
	}
	r.Close()

	if err := remote.Signal(t.Context(), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := remote.Signal(t.Context(), syscall.SIGWINCH); !errors.Is(err, syscall.ENOTTY) {
		t.Errorf("got %v, want ENOTTY", err)
	}
	if got := fmt.Sprint(c.got()); got != fmt.Sprint([]syscall.Signal{syscall.SIGTERM, syscall.SIGWINCH}) {
		t.Errorf("signals %s", got)
	}
	c.end()
	st := <-remote.Exited()
	if st.Code != 7 || st.Source != spawn.FromBackend || st.Time.UnixNano() != 1e9+2 {
		t.Errorf("status %+v", st)
	}
	if err := remote.Signal(t.Context(), syscall.SIGTERM); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("signal after the end: %v, want ESRCH", err)
	}
}

func TestSpawnFails(t *testing.T) {
	p := connect(t, backend{spawn: func(_ context.Context, s *spawn.Spec) (wire.LaneChild, error) {
		if s.Path == "nil" {
			return nil, nil
		}
		return nil, &spawn.Error{Key: testKey, Kind: spawn.ErrUnavailable, Msg: "engine down"}
	}})
	_, err := p.Spawn(t.Context(), &spawn.Spec{Path: "x", Files: []*os.File{os.Stdin}})
	checkKind(t, err, spawn.ErrUnavailable, "engine down")
	_, err = p.Spawn(t.Context(), &spawn.Spec{Path: "nil"})
	checkKind(t, err, spawn.ErrProtocol, "neither a child nor an error")
}

// TestCancelledSpawn has the caller leave before the child is there: it must be
// killed, by whichever way the race goes.
func TestCancelledSpawn(t *testing.T) {
	for _, late := range []bool{true, false} {
		t.Run(fmt.Sprintf("heeds context %v", !late), func(t *testing.T) {
			c, begun := newChild(), make(chan struct{})
			p := connect(t, backend{spawn: func(ctx context.Context, _ *spawn.Spec) (wire.LaneChild, error) {
				close(begun)
				<-ctx.Done()
				if late {
					return c, nil
				}
				c.end()
				return nil, ctx.Err()
			}})
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				_, err := p.Spawn(ctx, &spawn.Spec{Path: "x"})
				failed <- err
			}()
			<-begun
			cancel()
			checkKind(t, <-failed, spawn.ErrCanceled, "gave up")
			select {
			case <-c.exit:
			case <-time.After(5 * time.Second):
				t.Error("the child nobody waits for was not killed")
			}
		})
	}
}

// TestCancelAgainstSpawned cancels at about the moment in which the child is
// there: afterwards there is a caller who has it, or no child.
func TestCancelAgainstSpawned(t *testing.T) {
	children := make(chan *child, 1)
	p := connect(t, backend{spawn: func(context.Context, *spawn.Spec) (wire.LaneChild, error) {
		c := newChild()
		children <- c
		return c, nil
	}})
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(time.Duration(i)*time.Microsecond, cancel)
		remote, err := p.Spawn(ctx, &spawn.Spec{Path: "x"})
		timer.Stop()
		cancel()
		var c *child
		select {
		case c = <-children:
		case <-time.After(100 * time.Millisecond):
			if err == nil {
				t.Fatal("a child without a child")
			}
			continue // it was cancelled before it was sent
		}
		if err == nil {
			c.end()
			<-remote.Exited()
			continue
		}
		select {
		case <-c.exit:
		case <-time.After(5 * time.Second):
			t.Fatalf("round %d: the child nobody has was not killed", i)
		}
	}
}

func TestChildrenOfALostPlugin(t *testing.T) {
	leakcheck.Check(t)
	host, plugin := pair(t)
	conn := open(t, plugin)
	c := newChild()
	served := make(chan error, 1)
	ctx, die := context.WithCancel(t.Context())
	go func() {
		served <- wire.ServeLane(ctx, conn, backend{spawn: func(context.Context, *spawn.Spec) (wire.LaneChild, error) { return c, nil }})
	}()
	p := wire.NewPlanner(testKey, host)
	defer p.Close()
	remote, err := p.Spawn(t.Context(), &spawn.Spec{Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	die()
	if err := <-served; err != nil {
		t.Error(err)
	}
	select {
	case <-c.exit:
	default:
		t.Error("the plugin left its child running")
	}
	// The child's end and the plugin's compete; neither may be invented.
	if st := <-remote.Exited(); st.Source == spawn.Lost && st.Code != -1 || st.Source == spawn.FromBackend && st.Code != 7 {
		t.Errorf("status %+v", st)
	}
	<-p.Done()
	err = remote.Signal(t.Context(), syscall.SIGTERM)
	checkKind(t, err, spawn.ErrPluginGone, "signal")
}

func TestStubbornHandlerIsLeftBehind(t *testing.T) {
	host, plugin := pair(t)
	conn := open(t, plugin)
	begun, release := make(chan struct{}), make(chan struct{})
	served := make(chan error, 1)
	go func() {
		served <- wire.ServeLane(context.Background(), conn, backend{plan: func(context.Context, *spawn.Spec) (*spawn.Plan, error) {
			close(begun)
			<-release
			return nil, errors.ErrUnsupported
		}})
	}()
	p := wire.NewPlanner(testKey, host)
	go p.Plan(t.Context(), &spawn.Spec{Path: "x"})
	<-begun
	begin := time.Now()
	p.Close()
	err := <-served
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
	if !errors.Is(err, spawn.ErrTimeout) {
		t.Errorf("got %v, want ErrTimeout", err)
	}
	close(release)
	conn.Close()
}
