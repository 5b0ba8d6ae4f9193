//go:build unix

package wire_test

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Types of frames as the .proto file numbers them.
const (
	typePlan    = 1
	typePlanned = 2
	typeSpawn   = 3
	typeSpawned = 4
	typeExited  = 5
	typeSignal  = 6
	typeFailed  = 8
)

// TestBadAnswers has a plugin answer a Plan request with what is no answer.
func TestBadAnswers(t *testing.T) {
	tests := []struct {
		name string
		typ  uint8
		data []byte
		text string
	}{
		{"no plan", typePlanned, []byte{0xff}, "cannot be decoded"},
		{"no error", typeFailed, []byte{0xff}, "cannot be decoded"},
		{"a child", typeSpawned, nil, "request of type 1 with type 4"},
		{"a plan that is too large", typePlanned, make([]byte, 1<<20+1), "1048577 bytes: at most 1048576"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			leakcheck.Check(t)
			host, plugin := pair(t)
			conn := open(t, plugin)
			defer conn.Close()
			go func() {
				var f lane.Frame
				if conn.Recv(&f) == nil {
					conn.Send(&lane.Frame{Type: test.typ, ID: f.ID, Payload: test.data, FDs: []int{syscall.Stdin}})
				}
			}()
			p := wire.NewPlanner(testKey, host)
			defer p.Close()
			_, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
			checkKind(t, err, spawn.ErrProtocol, test.text)
		})
	}
}

// spawned is the answer to one request for a child, by a plugin that then, or
// before, reports the child's end.
func spawned(t *testing.T, status []byte, before bool) (*wire.Remote, error) {
	t.Helper()
	host, plugin := pair(t)
	conn := open(t, plugin)
	t.Cleanup(func() { conn.Close() })
	go func() {
		var f lane.Frame
		if conn.Recv(&f) != nil {
			return
		}
		if before {
			conn.Send(&lane.Frame{Type: typeExited, ID: f.ID, Payload: status})
		}
		conn.Send(&lane.Frame{Type: typeSpawned, ID: f.ID})
		if !before {
			conn.Send(&lane.Frame{Type: typeExited, ID: f.ID, Payload: status})
		}
	}()
	p := wire.NewPlanner(testKey, host)
	t.Cleanup(func() { p.Close() })
	return p.Spawn(t.Context(), &spawn.Spec{Path: "x"})
}

// TestEndBeforeTheStart: nobody waits for ever for what was said already.
func TestEndBeforeTheStart(t *testing.T) {
	leakcheck.Check(t)
	_, err := spawned(t, nil, true)
	checkKind(t, err, spawn.ErrProtocol, "before its start")
}

// TestImpossibleEnds: an exit is the backend's word at best, and what cannot be
// is none.
func TestImpossibleEnds(t *testing.T) {
	for _, c := range []struct{ said, want spawn.ExitStatus }{
		{spawn.ExitStatus{Code: 255, Source: spawn.FromKernel}, spawn.ExitStatus{Code: 255, Source: spawn.FromBackend}},
		{spawn.ExitStatus{Signal: 64}, spawn.ExitStatus{Code: -1, Signal: 64, Source: spawn.FromBackend}},
		{spawn.ExitStatus{Source: spawn.Lost, Reason: "rain"}, spawn.LostStatus("rain")},
		{spawn.ExitStatus{Code: 256}, spawn.LostStatus("the plugin reported code 256, signal 0, which no child ends with")},
		{spawn.ExitStatus{Code: -1}, spawn.LostStatus("the plugin reported code -1, signal 0, which no child ends with")},
		{spawn.ExitStatus{Code: -1, Signal: 65}, spawn.LostStatus("the plugin reported code -1, signal 65, which no child ends with")},
	} {
		status, _ := c.said.AppendBinary(nil) // never fails
		child, err := spawned(t, status, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := <-child.Exited(); got != c.want {
			t.Errorf("%+v: got %+v, want %+v", c.said, got, c.want)
		}
	}
}

// TestAnswersToNobody: an answer may come twice, or after its caller has left;
// one to a request that was never made ends the lane.
func TestAnswersToNobody(t *testing.T) {
	plan, _ := spawn.Standard(&spawn.Spec{Path: "x"}).AppendBinary(nil)
	for _, test := range []struct {
		name string
		id   uint64
		bad  bool
	}{{"twice", 1, false}, {"ahead", 1000, true}, {"zero", 0, true}} {
		t.Run(test.name, func(t *testing.T) {
			leakcheck.Check(t)
			host, plugin := pair(t)
			conn := open(t, plugin)
			defer conn.Close()
			go func() {
				var f lane.Frame
				for conn.Recv(&f) == nil {
					conn.Send(&lane.Frame{Type: typePlanned, ID: f.ID, Payload: plan})
					if f.ID == 1 {
						conn.Send(&lane.Frame{Type: typePlanned, ID: test.id, Payload: plan, FDs: []int{syscall.Stdin}})
					}
				}
			}()
			p := wire.NewPlanner(testKey, host)
			defer p.Close()
			if _, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"}); err != nil {
				t.Fatal(err)
			}
			if test.bad {
				<-p.Done()
			}
			_, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
			if !test.bad && err != nil {
				t.Error(err)
			}
			if test.bad {
				checkKind(t, err, spawn.ErrProtocol, "which nobody made")
			}
		})
	}
}

// TestWordyError: what a plugin can say in an error is bounded.
func TestWordyError(t *testing.T) {
	long := &spawn.Error{Kind: spawn.ErrUnavailable, Msg: strings.Repeat("alas ", 1<<20)}
	p := connect(t, backend{plan: func(context.Context, *spawn.Spec) (*spawn.Plan, error) { return nil, long }})
	_, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
	checkKind(t, err, spawn.ErrUnavailable, "alas alas")
	if n := len(err.Error()); n > 65<<10 {
		t.Errorf("%d bytes of text", n)
	}
}

func TestGarbageFromThePlugin(t *testing.T) {
	leakcheck.Check(t)
	host, plugin := pair(t)
	defer syscall.Close(plugin)
	if err := syscall.Sendmsg(plugin, []byte("no frame"), nil, nil, 0); err != nil {
		t.Fatal(err)
	}
	p := wire.NewPlanner(testKey, host)
	defer p.Close()
	_, err := p.Plan(t.Context(), &spawn.Spec{Path: "x"})
	checkKind(t, err, spawn.ErrProtocol, "plan")
}

// TestBadRequests has a host ask for what cannot be.
func TestBadRequests(t *testing.T) {
	spec, _ := (&spawn.Spec{Path: "x"}).AppendBinary(nil)
	tests := []struct {
		name string
		f    lane.Frame
		kind error
	}{
		{"no Spec", lane.Frame{Type: typePlan, Payload: []byte{0xff}}, spawn.ErrProtocol},
		{"more descriptors than said", lane.Frame{Type: typeSpawn, Payload: spec, FDs: []int{0}}, spawn.ErrProtocol},
		{"no signal", lane.Frame{Type: typeSignal, Payload: []byte{0xff}}, spawn.ErrProtocol},
		{"nobody's signal", lane.Frame{Type: typeSignal, Payload: []byte{8, 9, 16, 15}}, syscall.ESRCH},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			leakcheck.Check(t)
			host, plugin := pair(t)
			conn := open(t, plugin)
			served := make(chan error, 1)
			go func() { served <- wire.ServeLane(context.Background(), conn, backend{plan: standard}) }()
			test.f.ID = 7
			if err := host.Send(&test.f); err != nil {
				t.Fatal(err)
			}
			var f lane.Frame
			if err := host.Recv(&f); err != nil || f.Type != typeFailed || f.ID != 7 {
				t.Errorf("answer %+v, %v", f, err)
			}
			var e spawn.Error
			if err := e.UnmarshalBinary(f.Payload); err != nil || !matches(&e, test.kind) {
				t.Errorf("got %v, want %v", &e, test.kind)
			}
			host.Close()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}
