package portal

import (
	"context"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// streamWorkers is how many goroutines wait for calls; more calls get one each.
// With them a call is measurably faster.
const streamWorkers = 4

// A serving answers the calls of the other side.
type serving struct {
	portal *Portal

	// bind makes a call's context end with this side's life, and cause returns
	// why that has ended, or nil.
	bind  func(context.Context) (context.Context, context.CancelFunc)
	cause func() error

	crash sync.Once

	mu     sync.Mutex
	server *grpc.Server // nil before the first connection
	conn   *onceConn    // the other side's connection, nil before the first
	over   bool         // the link has ended
}

// newServing serves until ctx or the link ends. Its goroutine ends with the link.
func newServing(ctx context.Context, p *Portal) *serving {
	life, end := context.WithCancelCause(ctx)
	s := &serving{portal: p}
	s.cause = func() error { return context.Cause(life) }
	s.bind = func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(context.WithValue(ctx, callerKey{}, p))
		stop := context.AfterFunc(life, func() { cancel(context.Cause(life)) })
		return ctx, func() { stop(); cancel(nil) }
	}
	go func() {
		<-p.link.Done()
		end(p.link.Err())
		s.stop()
	}()
	return s
}

// take takes a connection of the other side, which has one at a time: a new one
// takes the place of the one before. The channel calls it, and must not wait.
func (s *serving) take(f *os.File) {
	raw, err := handedOver(f)
	if err != nil {
		return // the other side sees the end of its connection
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		raw.Close()
		return
	}
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn = raw
	if s.server == nil {
		s.server = s.newServer()
	}
	go s.serve(s.server, raw)
}

// serve serves a connection to its end.
func (s *serving) serve(g *grpc.Server, raw *onceConn) {
	defer raw.Close()
	g.Serve(&listener{conn: raw, closed: make(chan struct{})})
}

func (s *serving) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.conn != nil {
		s.conn.Close() // first: grpc would say good-bye to a peer that does not read
	}
	if s.server != nil {
		s.server.Stop()
	}
}

func (s *serving) newServer() *grpc.Server {
	limit := s.portal.cfg.MaxMessage
	g := grpc.NewServer(
		grpc.ForceServerCodecV2(codec{}),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.stream),
		grpc.ConnectionTimeout(ConnectTime),
		grpc.MaxRecvMsgSize(limit),
		grpc.MaxSendMsgSize(limit),
		grpc.MaxConcurrentStreams(MaxCalls),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(connWindow),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.SharedWriteBuffer(true),
	)
	s.portal.cfg.Serve.register(g, s.portal)
	return g
}

// A listener accepts one connection, and ends with it.
type listener struct {
	conn     *onceConn
	accepted bool // used by Accept alone
	once     sync.Once
	closed   chan struct{}
}

// Accept returns the connection the first time, and waits for its end the second.
func (l *listener) Accept() (net.Conn, error) {
	if !l.accepted {
		l.accepted = true
		return l.conn, nil
	}
	select {
	case <-l.conn.closed:
	case <-l.closed:
	}
	return nil, net.ErrClosed
}

// Close ends Accept.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns the socket's own, which has no name.
func (l *listener) Addr() net.Addr { return l.conn.LocalAddr() }

// lastTime is what other calls have to end when one has panicked.
const lastTime = 200 * time.Millisecond
