package early

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Serve serves plans if a host has started this process for that, and offered
// it. It reports true when the host has left the lane: the process is to end. It
// reports false when the rest of the program is needed, or nothing was offered.
func Serve(plan Planner) (over bool) {
	if typ, ok := lane.PeekType(laneFD, false); !ok || typ != typeEarly {
		return false
	}
	conn, err := lane.Open(laneFD, lane.Blocking)
	if err != nil {
		return false // it is main's to say why
	}
	failpoint.Pass(failpoint.EarlyStart)
	linux.SetName(Name) // in ps it would be "exe"
	// As in the sdk: what a terminal sends to its whole session does not end
	// a plugin.
	for _, sig := range []syscall.Signal{
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGPIPE,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
	} {
		linux.DeafTo(sig)
	}
	s := server{conn: conn, key: os.Args[1], plan: plan}
	over = s.run()
	failpoint.Pass(failpoint.EarlyEnd)
	return over
}

type server struct {
	conn *lane.Conn
	key  string
	plan Planner
}

// run reports whether the host is gone.
func (s *server) run() (gone bool) {
	var f lane.Frame
	for {
		typ, ok := lane.PeekType(laneFD, true)
		if ok && typ != typeEarly && typ != typePlan && typ != typeCancel {
			return false
		}
		if err := s.conn.Recv(&f); err != nil {
			return true
		}
		for _, fd := range f.FDs {
			syscall.Close(fd)
		}
		switch typ {
		case typeEarly:
			failpoint.Pass(failpoint.EarlyHello)
			s.conn.Send(&lane.Frame{Type: typeHello, Payload: hello(s.key)})
		case typePlan:
			s.answer(&f)
		}
	}
}

// answer answers a request. That the host may be gone is for the next Recv to
// notice.
func (s *server) answer(f *lane.Frame) {
	b, err := s.encoded(f.Payload)
	if err == nil {
		s.conn.Send(&lane.Frame{Type: typePlanned, ID: f.ID, Payload: b})
		failpoint.Pass(failpoint.EarlyAnswered)
		return
	}
	e := *spawn.AsError(err)
	if e.Key == "" {
		e.Key = s.key
	}
	if e.Phase == "" {
		e.Phase = spawn.PhasePlan
	}
	b, _ = e.AppendBinary(nil) // never fails
	s.conn.Send(&lane.Frame{Type: typeFailed, ID: f.ID, Payload: b})
}

// encoded returns the plan for an encoded Spec, encoded.
func (s *server) encoded(payload []byte) ([]byte, error) {
	spec := new(spawn.Spec)
	if err := spec.UnmarshalBinary(payload); err != nil {
		return nil, &spawn.Error{Kind: spawn.ErrProtocol, Msg: "the host's Spec cannot be decoded", Err: err}
	}
	if err := failpoint.Fail(failpoint.EarlySpec); err != nil {
		return nil, err
	}
	p, err := s.plan(spec)
	failpoint.Pass(failpoint.EarlyAnswer)
	if err != nil {
		return nil, err
	}
	b, _ := p.AppendBinary(nil) // never fails
	if len(b) > maxPlan {
		return nil, &spawn.Error{Kind: spawn.ErrBadPlan, Msg: fmt.Sprintf("%d bytes: at most %d can be sent", len(b), maxPlan)}
	}
	return b, nil
}

// hello is the description of a planner as the protocol has it, message
// DescribeResponse, as much of it as the host of the same program does not know.
func hello(key string) []byte {
	text := func(b []byte, field byte, s string) []byte {
		return append(binary.AppendUvarint(append(b, field<<3|2), uint64(len(s))), s...)
	}
	b := text(nil, 1, key)
	b = append(b, 8<<3, apiVersion)
	return text(b, 9, "planner")
}
