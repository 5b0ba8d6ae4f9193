package channel_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Main(m)) }

// pair returns both ends of a channel, which end with the test.
func pair(t testing.TB) (parent, child *channel.Channel) {
	t.Helper()
	parent, theirs, err := channel.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	fd, err := syscall.Dup(int(theirs.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	child, err = channel.Open(fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { parent.End(nil); child.End(nil) })
	return parent, child
}

// serve serves a channel until the test is over.
func serve(t testing.TB, c *channel.Channel, owner func(*channel.Message) error) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		c.Serve(owner)
	}()
	t.Cleanup(func() { c.End(nil); <-over })
}

// raw returns a channel and a plain socket for its peer.
func raw(t testing.TB) (*channel.Channel, *os.File) {
	t.Helper()
	c, theirs, err := channel.Pair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.End(nil); theirs.Close() })
	return c, theirs
}

// frame is a frame as it is on the wire.
func frame(typ channel.Type, nfds int, id uint64, payload string) []byte {
	b := []byte{byte(typ), 0, 0, 0}
	binary.LittleEndian.PutUint16(b[2:], uint16(nfds))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint64(b, id)
	return append(b, payload...)
}

func unknown(*channel.Message) error { return channel.ErrUnknown }

func TestFramesArriveInOrder(t *testing.T) {
	parent, child := pair(t)
	var got []channel.Started
	over := make(chan error)
	go func() {
		over <- parent.Serve(func(m *channel.Message) error {
			var s channel.Started
			if err := m.Decode(&s); err != nil {
				return err
			}
			got = append(got, s)
			return nil
		})
	}()
	want := []channel.Started{{}, {Addresses: []string{"/unix/a", "ünïcode \x00"}}, {Addresses: []string{strings.Repeat("x", 300_000)}}}
	for _, s := range want {
		if err := child.Send(t.Context(), channel.TypeStarted, s); err != nil {
			t.Fatal(err)
		}
	}
	child.End(nil)
	if err := <-over; err != io.EOF {
		t.Errorf("Serve: %v, want io.EOF", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARequestIsAnswered(t *testing.T) {
	parent, child := pair(t)
	serve(t, parent, unknown)
	serve(t, child, func(m *channel.Message) error {
		var c channel.Cancel
		if err := m.Decode(&c); err != nil {
			return err
		}
		switch c.By {
		case "plain":
			return errors.New("a plain one")
		case "fault":
			return &channel.Fault{Text: "no", Type: "t", Data: []byte{1}, Path: []string{"a"}, Wraps: []*channel.Fault{{Text: "w"}}}
		}
		return nil
	})
	if err := parent.Request(t.Context(), channel.TypeCancel, channel.Cancel{By: "root"}); err != nil {
		t.Error(err)
	}
	for by, want := range map[string]*channel.Fault{
		"plain": {Text: "a plain one"},
		"fault": {Text: "no", Type: "t", Data: []byte{1}, Path: []string{"a"}, Wraps: []*channel.Fault{{Text: "w"}}},
	} {
		err := parent.Request(t.Context(), channel.TypeCancel, channel.Cancel{By: by})
		var f *channel.Fault
		if !errors.Is(err, channel.ErrRefused) || !errors.As(err, &f) {
			t.Fatalf("%s: %v is no refusal with a fault", by, err)
		}
		if diff := cmp.Diff(want, f); diff != "" {
			t.Error(by, diff)
		}
	}
}

func TestUnknownFramesDoNoHarm(t *testing.T) {
	parent, child := pair(t)
	serve(t, parent, unknown)
	serve(t, child, unknown)
	if err := parent.Send(t.Context(), 77, "no request: passed over"); err != nil {
		t.Fatal(err)
	}
	err := parent.Request(t.Context(), 78, struct{}{})
	if !errors.Is(err, channel.ErrRefused) || !strings.Contains(err.Error(), "type 78") {
		t.Errorf("an unknown request: %v, want a refusal that names it", err)
	}
	// An answer that nobody waits for is passed over as well.
	if err := parent.Send(t.Context(), channel.TypeAnswer, channel.Answer{}); err != nil {
		t.Fatal(err)
	}
	if err := parent.Request(t.Context(), 78, struct{}{}); !errors.Is(err, channel.ErrRefused) {
		t.Errorf("after that: %v", err)
	}
}

func TestConnectionsInBothDirections(t *testing.T) {
	leakcheck.Check(t)
	parent, child := pair(t)
	echo := func(f *os.File) {
		go func() {
			defer f.Close()
			io.Copy(f, f)
		}()
	}
	parent.Handle("echo", echo)
	child.Handle("echo", echo)
	serve(t, parent, unknown)
	serve(t, child, unknown)
	for name, c := range map[string]*channel.Channel{"parent": parent, "child": child} {
		conn, err := c.Connect(t.Context(), "echo")
		if err != nil {
			t.Fatal(name, err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second)) // it can be waited for by the poller
		conn.WriteString("hello")
		b := make([]byte, 5)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
			t.Errorf("%s: read %q, %v", name, b, err)
		}
		conn.Close()
		if _, err := c.Connect(t.Context(), "nothing"); !errors.Is(err, channel.ErrRefused) || !strings.Contains(err.Error(), `"nothing"`) {
			t.Errorf("%s: a service that is not there: %v", name, err)
		}
	}
	child.Handle("echo", nil)
	if _, err := parent.Connect(t.Context(), "echo"); !errors.Is(err, channel.ErrRefused) {
		t.Errorf("a service handled no more: %v", err)
	}
}

func TestEndFailsWhatWaits(t *testing.T) {
	parent, child := pair(t)
	heard := make(chan struct{})
	hold := make(chan struct{})
	serve(t, child, func(*channel.Message) error { close(heard); <-hold; return nil })
	serve(t, parent, unknown)
	failed := make(chan error)
	go func() { failed <- parent.Request(t.Context(), channel.TypeCancel, channel.Cancel{}) }()
	<-heard
	why := errors.New("why")
	parent.End(why)
	if err := <-failed; err != why {
		t.Errorf("a request under way: %v, want %v", err, why)
	}
	parent.End(errors.New("too late"))
	if err := parent.Err(); err != why {
		t.Errorf("Err: %v, want %v", err, why)
	}
	<-parent.Done()
	if err := parent.Request(t.Context(), channel.TypeCancel, channel.Cancel{}); err != why {
		t.Errorf("a request afterwards: %v, want %v", err, why)
	}
	close(hold)
}

func TestAPeerThatDoesNotAnswerOrRead(t *testing.T) {
	parent, _ := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := parent.Request(ctx, channel.TypeCancel, channel.Cancel{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no answer: %v, want the context's error", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var err error
	for err == nil {
		err = parent.Send(ctx, channel.TypeStarted, channel.Started{Addresses: []string{strings.Repeat("x", 10_000)}})
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no reader: %v, want the context's error", err)
	}
}

// TestASendWaitsForNoOtherPastItsContext has one that waits for a peer that does
// not read, and one behind it.
func TestASendWaitsForNoOtherPastItsContext(t *testing.T) {
	parent, _ := pair(t)
	unbounded, stop := context.WithCancel(t.Context())
	waits, over := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(over)
		for unbounded.Err() == nil {
			select {
			case waits <- struct{}{}:
			default:
			}
			if parent.Send(unbounded, channel.TypeStarted, channel.Started{Addresses: []string{strings.Repeat("x", 10_000)}}) != nil {
				return
			}
		}
	}()
	<-waits
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begin := time.Now()
		for ctx.Err() == nil {
			parent.Send(ctx, channel.TypeStarted, channel.Started{})
		}
		if took := time.Since(begin); took > channel.SendTime*3/4 {
			t.Errorf("it waited for %v", took)
		}
	}
	stop()
	<-over
}

func TestAFrameThatIsTooLongIsNotSent(t *testing.T) {
	parent, child := pair(t)
	err := parent.Send(t.Context(), channel.TypeStarted, channel.Started{Addresses: []string{strings.Repeat("x", channel.MaxPayload)}})
	if !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("%v, want EMSGSIZE", err)
	}
	serve(t, child, unknown)
	serve(t, parent, unknown)
	if err := parent.Request(t.Context(), 99, 1); !errors.Is(err, channel.ErrRefused) {
		t.Errorf("the channel does not work any more: %v", err)
	}
}

func TestWhatIsNoFrameEndsServe(t *testing.T) {
	for name, b := range map[string][]byte{
		"no JSON":              frame(channel.TypeHello, 0, 0, "{"),
		"nothing":              frame(channel.TypeHello, 0, 0, ""),
		"too long":             frame(channel.TypeHello, 0, 0, strings.Repeat(" ", channel.MaxPayload+1)),
		"descriptors missing":  frame(channel.TypeConnect, 1, 1, `{"service":"x"}`),
		"connect, no id":       frame(channel.TypeConnect, 0, 0, `{"service":"x"}`),
		"connect, none passed": frame(channel.TypeConnect, 0, 1, `{"service":"x"}`),
		"connect, other JSON":  frame(channel.TypeConnect, 0, 1, `[]`),
		"answer, other JSON":   frame(channel.TypeAnswer, 0, 1, `7`),
		"unknown flags":        {1, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{', '}'},
		"cut short":            frame(channel.TypeHello, 0, 0, "{}")[:17],
	} {
		c, peer := raw(t)
		go func() { peer.Write(b); peer.Close() }() // the long one does not fit into the buffer
		if err := c.Serve(unknown); !errors.Is(err, spawn.ErrProtocol) {
			t.Errorf("%s: Serve returned %v, want a violation of the protocol", name, err)
		}
		c.End(nil)
	}
}

func TestDescriptorsNobodyWantsAreClosed(t *testing.T) {
	leakcheck.Check(t)
	c, peer := raw(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Handle("x", func(f *os.File) { t.Error("a pipe was taken for a connection"); f.Close() })
	for _, b := range [][]byte{
		frame(channel.TypeStarted, 1, 0, `{}`),
		frame(200, 1, 5, `{}`),
		frame(channel.TypeConnect, 1, 6, `{"service":"nothing"}`),
		frame(channel.TypeConnect, 1, 7, `{"service":"x"}`), // which is no socket
	} {
		if err := syscall.Sendmsg(int(peer.Fd()), b, syscall.UnixRights(int(w.Fd())), nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	syscall.Shutdown(int(peer.Fd()), syscall.SHUT_WR)
	if err := c.Serve(unknown); err != io.EOF {
		t.Errorf("Serve: %v", err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the pipe's other end is open somewhere: %v", err)
	}
	c.End(nil)
	answers, err := io.ReadAll(peer)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(answers, []byte(`{"error":{"text":`)); n != 3 {
		t.Errorf("%d requests were refused, want 3: %q", n, answers)
	}
}

func TestOpenRefusesWhatIsNoStream(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := channel.Open(int(r.Fd())); !errors.Is(err, syscall.ENOTSOCK) {
		t.Errorf("a pipe: %v, want ENOTSOCK", err)
	}
	if _, err := channel.Open(1 << 20); !errors.Is(err, syscall.EBADF) {
		t.Errorf("no descriptor: %v, want EBADF", err)
	}
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	defer syscall.Close(fds[1])
	if _, err := channel.Open(fds[0]); !errors.Is(err, syscall.EPROTOTYPE) {
		t.Errorf("a packet socket: %v, want EPROTOTYPE", err)
	}
}
