package wire

import (
	"context"
	"sync"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/protobuf/proto"
)

// OfferEarly lets a plugin that has not been started yet serve plans before its
// program is initialised: see internal/early. It is the first that is sent on
// conn, and means nothing to who does not know it. The Planner of conn goes into
// ClientConfig.Lane.
func OfferEarly(conn *lane.Conn) error {
	return conn.Send(&lane.Frame{Type: laneEarly})
}

// A hello is what a plugin says on the lane by itself: what it is, and in which
// language it goes on.
type hello struct {
	Description
	json bool
}

// greeted takes the hello of an early plugin, or of one that speaks JSON.
// Whoever says it again, or too late, is not heard.
func (p *Planner) greeted(f *lane.Frame) {
	m := new(spawnv1.DescribeResponse)
	payload, err := f.Payload, error(nil)
	json := inJSON(payload)
	if json {
		payload, err = fromJSON(laneHello, payload)
	}
	if err == nil {
		err = proto.Unmarshal(payload, m)
	}
	if err != nil {
		p.end(&spawn.Error{Kind: spawn.ErrProtocol, Op: "hello", Msg: "the plugin's hello cannot be decoded", Err: err})
		select {
		case <-p.spoiled: // by the one before
		default:
			close(p.spoiled)
		}
		return
	}
	select {
	case p.hello <- hello{descriptionOf(m), json}:
	default:
	}
}

// why returns why the lane has ended.
func (p *Planner) why() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// A late control connection is brought up when it is first needed. The plugin
// has said on the plan lane what it is, and makes its plans without one.
type late struct {
	dialing *dialing
	lane    *Planner
	never   bool          // it speaks JSON, and has none
	once    sync.Once     // begins, or forgoes
	ready   chan struct{} // closed when it is there, or never will be
	err     error         // why it is not there; valid after ready
}

// up returns when the control connection is there. The error is complete but
// for the key.
func (c *Client) up(ctx context.Context, op string) error {
	l := c.late
	if l == nil {
		return nil
	}
	if l.never {
		return &spawn.Error{Key: c.key, Op: op, Kind: spawn.ErrNotImplemented, Msg: "the plugin speaks JSON on the plan lane, and has no control connection"}
	}
	l.once.Do(func() { go l.begin() }) // ends within the time for a start
	select {
	case <-l.ready:
		return l.err
	case <-ctx.Done():
		return fromStatus(ctx, c.key, op, ctx.Err())
	}
}

// begin has the plugin go on to where it serves the control connection. One
// that fails to is of no use: it is ended.
func (l *late) begin() {
	defer close(l.ready)
	d := l.dialing
	ctx, cancel := context.WithTimeoutCause(context.Background(), d.cfg.StartTimeout, errStartTimeout)
	defer cancel()
	l.lane.out.put(outgoing{frame: lane.Frame{Type: laneControl}})
	if _, err := d.await(ctx, nil); err != nil {
		l.err = d.explain(ctx, err)
		d.client.runner.abandon()
		d.client.dialer.close()
	}
}

// forgo reports whether nobody has asked for the control connection. From then
// on nobody can.
func (l *late) forgo() (yes bool) {
	l.once.Do(func() {
		yes = true
		l.err = &spawn.Error{Key: l.dialing.cfg.Key, Kind: spawn.ErrPluginGone, Msg: "the plugin is being stopped"}
		close(l.ready)
	})
	return yes
}
