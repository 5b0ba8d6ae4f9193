//go:build unix

package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A backend is a LaneHandler made of functions.
type backend struct {
	plan  func(context.Context, *spawn.Spec) (*spawn.Plan, error)
	spawn func(context.Context, *spawn.Spec) (wire.LaneChild, error)
}

func (b backend) Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) { return b.plan(ctx, s) }
func (b backend) Spawn(ctx context.Context, s *spawn.Spec) (wire.LaneChild, error) {
	return b.spawn(ctx, s)
}

// pair returns both ends of a lane. The host's is opened.
func pair(t *testing.T) (host *lane.Conn, plugin int) {
	t.Helper()
	a, b, err := lane.Pair()
	if err != nil {
		t.Fatal(err)
	}
	host, err = lane.Open(a, lane.Polled)
	if err != nil {
		t.Fatal(err)
	}
	return host, b
}

func open(t *testing.T, fd int) *lane.Conn {
	t.Helper()
	c, err := lane.Open(fd, lane.Polled)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// connect serves b on one end of a lane and returns the other. At the end of
// the test, serving has ended without an error.
func connect(t *testing.T, b backend) *wire.Planner {
	t.Helper()
	leakcheck.Check(t)
	host, plugin := pair(t)
	conn := open(t, plugin)
	served := make(chan error, 1)
	go func() { served <- wire.ServeLane(context.Background(), conn, b) }()
	p := wire.NewPlanner(testKey, host)
	t.Cleanup(func() {
		p.Close()
		if err := <-served; err != nil {
			t.Errorf("ServeLane: %v", err)
		}
	})
	return p
}

func standard(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) { return spawn.Standard(s), nil }

func TestPlanCrosses(t *testing.T) {
	spec := &spawn.Spec{
		Path: "/bin/\xff", Args: []string{"a", "", "b"}, Env: []string{}, Dir: "/x", Files: []*os.File{nil, os.Stdout},
		Session: true, Options: []spawn.Option{{Key: "k", Value: "v"}}, Ignore: []syscall.Signal{syscall.SIGHUP},
	}
	seen := make(chan *spawn.Spec, 1)
	p := connect(t, backend{plan: func(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
		seen <- s
		return standard(ctx, s)
	}})
	plan, err := p.Plan(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if want := spawn.Standard(spec); !reflect.DeepEqual(plan, want) {
		t.Errorf("got\n%v\nwant\n%v", plan, want)
	}
	got := <-seen
	if open := got.OpenFiles(); len(got.Files) != 2 || !reflect.DeepEqual(open, []int{1}) {
		t.Errorf("the backend saw %d files, %v open", len(got.Files), open)
	}
	if got.Path != spec.Path || !reflect.DeepEqual(got.Args, spec.Args) || got.Env == nil || len(got.Env) != 0 {
		t.Errorf("the backend saw %+v", got)
	}
}

func TestPlanFiles(t *testing.T) {
	for _, reusable := range []bool{false, true} {
		t.Run(fmt.Sprintf("reusable %v", reusable), func(t *testing.T) {
			leakcheck.Check(t)
			theirs, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			w.WriteString("from the plugin")
			w.Close()
			host, plugin := pair(t)
			conn := open(t, plugin)
			served := make(chan error, 1)
			go func() {
				served <- wire.ServeLane(context.Background(), conn, backend{plan: func(context.Context, *spawn.Spec) (*spawn.Plan, error) {
					return &spawn.Plan{Reusable: reusable, Files: []*os.File{theirs}}, nil
				}})
			}()
			p := wire.NewPlanner(testKey, host)
			plan, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
			if err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			if n, _ := plan.Files[0].Read(buf); string(buf[:n]) != "from the plugin" {
				t.Errorf("read %q", buf[:n])
			}
			plan.CloseFiles()
			p.Close()
			if err := <-served; err != nil {
				t.Error(err)
			}
			if err := theirs.Close(); (err == nil) != reusable {
				t.Errorf("closing the backend's own file afterwards: %v", err)
			}
		})
	}
}

// hostKinds are the kinds of error that are not for a plugin to say.
func hostKinds() []error {
	return []error{
		spawn.ErrUnknownMethod, spawn.ErrPluginGone, spawn.ErrKeeperGone, spawn.ErrUntrusted,
		spawn.ErrCanceled, spawn.ErrClosed, spawn.ErrBroken,
	}
}

// TestErrorsOfTheHost: a plugin that says that the host is closed, say, or
// speaks for another method, is not believed; its text is shown.
func TestErrorsOfTheHost(t *testing.T) {
	for _, kind := range hostKinds() {
		p := connect(t, backend{plan: func(context.Context, *spawn.Spec) (*spawn.Plan, error) {
			return nil, &spawn.Error{Key: "another", Kind: kind, Msg: "it says"}
		}})
		_, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
		var e *spawn.Error
		if !errors.As(err, &e) || e.Kind != nil || e.Key != testKey || e.Msg != kind.Error()+", says the plugin: it says" {
			t.Errorf("got %#v", err)
		}
	}
}

// TestEveryErrorCrosses holds the promise that errors keep their identity.
func TestEveryErrorCrosses(t *testing.T) {
	var errs []error
	for _, kind := range kinds() {
		if slices.Contains(hostKinds(), kind) {
			continue
		}
		for _, errno := range []syscall.Errno{0, syscall.ENOENT, syscall.E2BIG} {
			errs = append(errs, &spawn.Error{Key: testKey, Phase: spawn.PhaseSetup, Op: "open", Path: "/\xff", Errno: errno, Kind: kind, Msg: "m\xfe",
				Blocked: &spawn.Blocked{Reason: "r", Alternative: "a", Analysis: "d", Scenario: "s"}})
		}
	}
	foreign := fmt.Errorf("while looking: %w", os.NewSyscallError("open", syscall.EMFILE))
	p := connect(t, backend{plan: func(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
		i, err := strconv.Atoi(s.Path)
		if err != nil {
			return nil, foreign
		}
		return nil, errs[i]
	}})
	for i, want := range errs {
		if _, got := p.Plan(t.Context(), &spawn.Spec{Path: strconv.Itoa(i)}); !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%#v\nwant\n%#v", got, want)
		}
	}
	if _, got := p.Plan(t.Context(), &spawn.Spec{Path: "foreign"}); !errors.Is(got, syscall.EMFILE) {
		t.Errorf("got %v", got)
	}
}

func TestBadPlans(t *testing.T) {
	closed, _, _ := os.Pipe()
	closed.Close()
	for name, plan := range map[string]*spawn.Plan{
		"none":       nil,
		"nil file":   {Files: []*os.File{nil}},
		"closed":     {Files: []*os.File{closed}},
		"many files": {Files: make([]*os.File, 251)},
	} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, backend{plan: func(context.Context, *spawn.Spec) (*spawn.Plan, error) { return plan, nil }})
			if _, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"}); !errors.Is(err, spawn.ErrBadPlan) {
				t.Errorf("got %v, want ErrBadPlan", err)
			}
		})
	}
}

func TestPlansOvertakeEachOther(t *testing.T) {
	first := make(chan struct{})
	p := connect(t, backend{plan: func(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
		if s.Path == "slow" {
			<-first
		}
		return &spawn.Plan{Steps: []spawn.Step{{Op: spawn.Op(s.Path)}}}, nil
	}})
	slow := make(chan error, 1)
	go func() {
		plan, err := p.Plan(t.Context(), &spawn.Spec{Path: "slow"})
		if err == nil && plan.Steps[0].Op != "slow" {
			err = fmt.Errorf("got the plan of %s", plan.Steps[0].Op)
		}
		slow <- err
	}()
	var wg sync.WaitGroup
	for i := range 500 { // far more than the window
		wg.Go(func() {
			name := fmt.Sprint("p", i)
			plan, err := p.Plan(t.Context(), &spawn.Spec{Path: name})
			if err != nil || string(plan.Steps[0].Op) != name {
				t.Errorf("asked for %s, got %v, %v", name, plan, err)
			}
		})
	}
	wg.Wait()
	close(first)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}

func TestCancelledPlan(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	p := connect(t, backend{plan: func(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
		if s.Path == "fast" {
			return standard(ctx, s)
		}
		close(begun)
		<-ctx.Done()
		close(ended)
		return &spawn.Plan{Files: []*os.File{write}}, nil // too late
	}})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := p.Plan(ctx, &spawn.Spec{Path: "x"})
		failed <- err
	}()
	<-begun
	cancel()
	begin := time.Now()
	err = <-failed
	if took := time.Since(begin); took > 200*time.Millisecond {
		t.Errorf("returned %v after the cancellation", took)
	}
	checkKind(t, err, spawn.ErrCanceled, "gave up")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
	<-ended // the plugin was told
	// The late plan's descriptor is closed on both sides, and not only when
	// the garbage collector gets to it.
	read.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := read.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a descriptor of the late plan is still open: %v", err)
	}
	if _, err := p.Plan(t.Context(), &spawn.Spec{Path: "fast"}); err != nil {
		t.Errorf("the next plan: %v", err)
	}
}

// TestSilentPlugin has a plugin that reads nothing: the buffer fills up, and
// still nobody waits for longer than he wants to.
func TestSilentPlugin(t *testing.T) {
	leakcheck.Check(t)
	host, plugin := pair(t)
	defer syscall.Close(plugin)
	p := wire.NewPlanner(testKey, host)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	big := &spawn.Spec{Path: "x", Args: []string{string(make([]byte, 60_000))}}
	var wg sync.WaitGroup
	begin := time.Now()
	for range 300 {
		wg.Go(func() {
			_, err := p.Plan(ctx, big)
			if !errors.Is(err, spawn.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want ErrTimeout", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v with a deadline of 100ms", took)
	}
	begin = time.Now()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 200*time.Millisecond {
		t.Errorf("close took %v", took)
	}
	_, err := p.Plan(t.Context(), big)
	checkKind(t, err, spawn.ErrPluginGone, "the plan lane was closed")
}

func TestPluginGoesWhilePlanning(t *testing.T) {
	leakcheck.Check(t)
	host, plugin := pair(t)
	p := wire.NewPlanner(testKey, host)
	defer p.Close()
	var wg sync.WaitGroup
	errs := make(chan error, 20)
	for range cap(errs) {
		wg.Go(func() {
			_, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
			errs <- err
		})
	}
	conn := open(t, plugin)
	var f lane.Frame
	if err := conn.Recv(&f); err != nil { // one has arrived, others are on their way
		t.Fatal(err)
	}
	conn.Close()
	wg.Wait()
	close(errs)
	for err := range errs {
		checkKind(t, err, spawn.ErrPluginGone, "plan")
	}
	<-p.Done()
	_, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
	checkKind(t, err, spawn.ErrPluginGone, "left the plan lane")
}

// TestGrease has both ends send what the other does not know.
func TestGrease(t *testing.T) {
	leakcheck.Check(t)
	host, plugin := pair(t)
	conn := open(t, plugin)
	served := make(chan error, 1)
	r, w, _ := os.Pipe()
	defer r.Close()
	defer w.Close()
	grease := &lane.Frame{Type: 200, ID: 1, Payload: []byte("grease"), FDs: []int{int(r.Fd())}}
	if err := host.Send(grease); err != nil {
		t.Fatal(err)
	}
	if err := conn.Send(grease); err != nil {
		t.Fatal(err)
	}
	go func() { served <- wire.ServeLane(context.Background(), conn, backend{plan: standard}) }()
	p := wire.NewPlanner(testKey, host)
	if _, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"}); err != nil {
		t.Error(err)
	}
	p.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
