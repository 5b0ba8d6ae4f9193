//go:build unix

package keeper

import (
	"encoding/binary"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	// maxAdopters bounds those who are connected at once, each with a
	// descriptor and a goroutine. Others wait until one of them goes.
	maxAdopters = 64
	// adoptTime is what who connects has to say what for.
	adoptTime = 5 * time.Second
	// tellTime bounds the telling of an adopter who does not read.
	tellTime = time.Second
	// acceptPause is the time between two tries when there are no
	// descriptors, the end of which is no event.
	acceptPause = 100 * time.Millisecond
)

// An adopter is somebody who has connected to the keeper of a detached child:
// a host, of the child's own user. He speaks as a host does on its lane, about
// that one child, which has the id of the frame by which he adopted it.
type adopter struct {
	d    *detachment
	conn *lane.Conn
	id   uint64 // 0 before he has said the nonce
}

// accept serves whoever connects. It ends with the process.
func (d *detachment) accept(listener int) {
	places := make(chan struct{}, maxAdopters)
	for {
		places <- struct{}{}
		fd, err := acceptFrom(listener)
		if err != nil {
			<-places
			<-time.After(acceptPause)
			continue
		}
		a := d.admit(fd)
		if a == nil {
			<-places
			continue
		}
		go func() {
			a.serve()
			<-places
		}()
	}
}

// admit takes ownership of fd.
func (d *detachment) admit(fd int) *adopter {
	_, uid, err := peerOf(fd)
	if err != nil || uid != os.Geteuid() && uid != 0 {
		syscall.Close(fd)
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	conn, err := lane.Open(fd, lane.Polled)
	if err != nil {
		syscall.Close(fd)
		return nil
	}
	a := &adopter{d: d, conn: conn}
	d.adopters[a] = true
	return a
}

func (a *adopter) serve() {
	late := time.AfterFunc(adoptTime, func() { a.conn.Shutdown() })
	defer late.Stop()
	var f lane.Frame
	for {
		err := a.conn.Recv(&f)
		if errors.Is(err, lane.ErrFrame) {
			continue
		}
		if err != nil {
			break
		}
		closeAll(f.FDs)
		if !a.handle(&f) {
			break
		}
		late.Stop()
	}
	a.d.mu.Lock()
	delete(a.d.adopters, a)
	a.d.mu.Unlock()
	a.conn.Close()
}

// handle answers a frame. It reports whether the conversation goes on.
func (a *adopter) handle(f *lane.Frame) bool {
	if a.id == 0 {
		return f.Type == frameAdopt && a.adopt(f.ID, string(f.Payload))
	}
	switch f.Type {
	case frameSignal, frameKill, frameAsk:
		a.answer(f.ID, a.control(f.Type, f.Payload))
	case frameEnd:
		a.end(f.ID, f.Payload)
	case frameDescribe:
		a.conn.Send(&lane.Frame{Type: frameDescribed, ID: f.ID, Payload: a.d.k.describe()})
	default:
		return false
	}
	return true
}

func (a *adopter) answer(id uint64, err error) {
	a.conn.Send(&lane.Frame{Type: frameDone, ID: id, Payload: appendError(nil, err)})
}

// adopt tells who knows the nonce the child's pid, 0 for one that has ended, and
// its exit. That may come a moment later.
func (a *adopter) adopt(id uint64, nonce string) bool {
	a.d.mu.Lock()
	defer a.d.mu.Unlock()
	var err error
	if nonce != a.d.nonce || id == 0 {
		err = &spawn.Error{Kind: spawn.ErrProtocol, Op: "adopt", Msg: "this is the keeper of another child"}
	}
	_, pid := a.d.child()
	reply := binary.LittleEndian.AppendUint32(nil, uint32(pid))
	a.conn.SetSendDeadline(time.Now().Add(tellTime))
	defer a.conn.SetSendDeadline(time.Time{})
	serr := a.conn.Send(&lane.Frame{Type: frameLaunched, ID: id, Payload: appendError(reply, err)})
	if err != nil || serr != nil {
		return false
	}
	a.id = id
	if a.d.record != nil {
		a.send(a.d.record)
	}
	return true
}

// child returns the id and pid of the child, or 0 when there is none.
func (d *detachment) child() (id uint64, pid int) {
	t := d.k.table
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.byID {
		return c.id, c.pid
	}
	return 0, 0
}

// control is keeper.control for the one child that there is.
func (a *adopter) control(typ uint8, payload []byte) error {
	le := binary.LittleEndian
	child, _ := a.d.child()
	if len(payload) != 12 || le.Uint64(payload) != a.id {
		return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseRun, Msg: "malformed request, or about another child"}
	}
	return a.d.k.control(typ, append(le.AppendUint64(nil, child), payload[8:]...))
}

// end ends what the child has left, if that would go on otherwise.
func (a *adopter) end(id uint64, payload []byte) {
	a.d.mu.Lock()
	ended := a.d.record != nil
	a.d.mu.Unlock()
	if !ended || len(payload) != 16 {
		a.answer(id, &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseStop, Msg: "malformed request, or the child has not ended"})
		return
	}
	le := binary.LittleEndian
	select {
	case a.d.ends <- endRequest{time.Duration(le.Uint64(payload)), time.Duration(le.Uint64(payload[8:])), func(err error) { a.answer(id, err) }}:
	default: // somebody else has asked: the end of the lane is the answer
	}
}

// tell tells of the exit, and gives up who does not read.
func (a *adopter) tell(record []byte) {
	a.d.mu.Lock() // adopt may be sending just now
	there := a.id != 0
	a.d.mu.Unlock()
	if !there {
		return
	}
	a.conn.SetSendDeadline(time.Now().Add(tellTime))
	a.send(record)
	a.conn.SetSendDeadline(time.Time{})
}

// send sends an exit under the id by which this adopter knows the child.
func (a *adopter) send(record []byte) {
	record = append(binary.LittleEndian.AppendUint64(nil, a.id), record[8:]...)
	a.conn.Send(&lane.Frame{Type: frameExited, Payload: record})
}
