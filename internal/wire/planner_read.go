package wire

import (
	"errors"
	"fmt"
	"io"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// read takes frames until the lane ends, and then tells everybody.
func (p *Planner) read() {
	var f lane.Frame
	for {
		if err := p.conn.Recv(&f); err != nil {
			p.end(laneError(err, p.conn.Unread()))
			return
		}
		files := receivedFiles(&f)
		if !p.take(&f, &spawn.Plan{Files: files}) {
			closeFiles(files)
		}
		if cap(f.Payload) > maxPlan {
			f.Payload = nil // not kept for as long as the plugin lives
		}
	}
}

// ErrUnread is the cause of an ErrPluginGone when the plugin is known to have
// gone before it looked at the request: it was dying already.
var ErrUnread = errors.New("it had not read the request")

// laneError returns what the end of the lane means to those who wait.
func laneError(err error, unread bool) *spawn.Error {
	if errors.Is(err, lane.ErrFrame) {
		return &spawn.Error{Kind: spawn.ErrProtocol, Err: err}
	}
	e := &spawn.Error{Kind: spawn.ErrPluginGone, Msg: "the plugin left the plan lane"}
	switch {
	case !errors.Is(err, io.EOF):
		e.Err = err
	case unread:
		e.Err = ErrUnread
	}
	return e
}

// take handles one frame. plan has its descriptors, which take reports to have
// handed on or not.
func (p *Planner) take(f *lane.Frame, plan *spawn.Plan) (kept bool) {
	switch f.Type {
	case lanePlanned, laneSpawned, laneSignaled, laneFailed, laneExited:
		if !p.asked(f.ID) {
			p.end(&spawn.Error{Kind: spawn.ErrProtocol, Msg: fmt.Sprintf("the plugin answered request %d, which nobody made", f.ID)})
			return false
		}
	}
	payload, malformed := f.Payload, error(nil)
	if p.json.Load() && f.Type != laneHello {
		payload, malformed = fromJSON(f.Type, payload)
	}
	switch f.Type {
	case lanePlanned:
		if malformed == nil {
			malformed = decodePlan(plan, payload)
		}
		return p.answer(f, lanePlan, answer{plan: plan}, malformed)
	case laneSpawned:
		p.answer(f, laneSpawn, answer{child: newRemote(p, f.ID)}, nil)
	case laneSignaled:
		p.answer(f, laneSignal, answer{}, nil)
	case laneFailed:
		e := new(spawn.Error)
		if malformed == nil {
			malformed = e.UnmarshalBinary(payload)
		}
		p.answer(f, 0, answer{err: said(p.key, e)}, malformed)
	case laneExited:
		p.exited(f.ID, payload, malformed)
	case laneHello:
		p.greeted(f)
	}
	// What this version does not know is passed over.
	return false
}

// answer gives a to whoever waits for it, and reports whether somebody does.
// typ is the request that it answers, 0 for any; a request that was answered
// with something else, or with something that is malformed, fails.
func (p *Planner) answer(f *lane.Frame, typ uint8, a answer, malformed error) (kept bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.waiting[f.ID]
	if r == nil {
		return false
	}
	delete(p.waiting, f.ID)
	<-p.window
	if r.left {
		return false
	}
	switch {
	case malformed != nil:
		a = answer{err: &spawn.Error{Kind: spawn.ErrProtocol, Msg: fmt.Sprintf("the plugin's answer of type %d cannot be decoded", f.Type), Err: malformed}}
	case typ != 0 && typ != r.typ:
		a = answer{err: &spawn.Error{Kind: spawn.ErrProtocol, Msg: fmt.Sprintf("the plugin answered a request of type %d with type %d", r.typ, f.Type)}}
	}
	if a.child != nil {
		p.children[f.ID] = a.child
	}
	r.answer <- a
	return a.plan != nil
}

// exited hands the status of a child on.
func (p *Planner) exited(id uint64, payload []byte, err error) {
	var st spawn.ExitStatus
	if err == nil {
		err = st.UnmarshalBinary(payload)
	}
	if err != nil {
		st = spawn.LostStatus(fmt.Sprintf("the plugin's report cannot be decoded: %v", err))
	}
	switch {
	case st.Source == spawn.Lost:
		st.Code, st.Signal = -1, 0
	case !possible(&st):
		st = spawn.LostStatus(fmt.Sprintf("the plugin reported code %d, signal %d, which no child ends with", st.Code, st.Signal))
	default:
		st.Source = spawn.FromBackend // whatever it says: no kernel told the host
	}
	p.mu.Lock()
	child := p.children[id]
	early := p.waiting[id] != nil
	delete(p.children, id)
	p.mu.Unlock()
	switch {
	case child != nil:
		child.exited <- st
	case early: // its end would be waited for ever
		p.end(&spawn.Error{Kind: spawn.ErrProtocol, Msg: fmt.Sprintf("the plugin reported the end of child %d before its start", id)})
	}
}

// possible reports whether a child can end with st: with a code that a process
// can have, or by a signal, beside which the code says nothing.
func possible(st *spawn.ExitStatus) bool {
	if st.Signal != 0 {
		st.Code = -1
		return 0 < st.Signal && st.Signal <= 64
	}
	return 0 <= st.Code && st.Code <= 255
}

// end fails everything that is on its way, with why, and lets the goroutines
// of p end. Only the first call counts.
func (p *Planner) end(why *spawn.Error) {
	p.mu.Lock()
	if p.gone != nil {
		p.mu.Unlock()
		return
	}
	p.gone = why
	waiting, children := p.waiting, p.children
	p.waiting, p.children = nil, nil
	p.mu.Unlock()

	close(p.done)
	p.conn.Shutdown()
	p.out.close()
	for _, r := range waiting {
		r.answer <- answer{err: why}
	}
	for _, c := range children {
		c.exited <- spawn.LostStatus(why.Error())
	}
}
