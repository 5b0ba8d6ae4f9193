package portal_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

// plainCodec sends bytes as they are, as clients in other languages do.
type plainCodec struct{}

func (plainCodec) Name() string                  { return "json" }
func (plainCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (plainCodec) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), b...)
	return nil
}

// TestAPlainClient calls functions with nothing but what docs/protocol.md says.
func TestAPlainClient(t *testing.T) {
	leakcheck.Check(t)
	left, right := channels(t)
	if _, err := portal.New(t.Context(), left, portal.Config{Name: "server", Serve: functions()}); err != nil {
		t.Fatal(err)
	}
	serve(t, left)
	serve(t, right)
	f, err := right.Connect(t.Context(), "grpc")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.FileConn(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	c, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return raw, nil }),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(plainCodec{})))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	var got []byte
	if err := c.Invoke(t.Context(), "/hatchery.portal.v1.Functions/mirror", []byte(`{"X":1,"Y":2}`), &got); err != nil || string(got) != `{"X":2,"Y":1}` {
		t.Errorf("%s, %v", got, err)
	}
	var trailer metadata.MD
	err = c.Invoke(t.Context(), "/hatchery.portal.v1.Functions/fail", []byte(`"value"`), &got, grpc.Trailer(&trailer))
	if st := status.Convert(err); st.Code() != codes.Unknown || st.Message() != "wrapped: "+errOwn.Error() {
		t.Errorf("the status is %v", err)
	}
	var fault channel.Fault
	if v := trailer.Get("hatchery-fault-bin"); len(v) != 1 || json.Unmarshal([]byte(v[0]), &fault) != nil || fault.Text != "wrapped: "+errOwn.Error() || fault.Stack == "" {
		t.Errorf("the trailer is %q", v)
	}
	s, err := c.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/hatchery.portal.v1.Functions/count")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SendMsg([]byte("2")), s.CloseSend()); err != nil {
		t.Fatal(err)
	}
	var all []string
	for {
		if err := s.RecvMsg(&got); err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		all = append(all, string(got))
	}
	if strings.Join(all, " ") != "0 1" {
		t.Errorf("the sequence is %q", all)
	}
}

// handled returns a portal whose calls go to a peer that is not grpc.
func handled(t *testing.T, take func(*os.File)) (*portal.Portal, *channel.Channel) {
	t.Helper()
	left, right := channels(t)
	right.Handle("grpc", take)
	p, err := portal.New(t.Context(), left, portal.Config{})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, left)
	serve(t, right)
	return p, left
}

func TestAPeerThatSendsGarbage(t *testing.T) {
	leakcheck.Check(t)
	p, _ := handled(t, func(f *os.File) {
		go func() {
			defer f.Close()
			for range 100 {
				if _, err := f.WriteString(strings.Repeat("garbage ", 1<<10)); err != nil {
					return
				}
			}
		}()
	})
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for range 2 {
		if _, err := portal.Call[int](ctx, p, "f", 1); !errors.Is(err, portal.ErrGone) || !strings.Contains(err.Error(), "closed the connection") {
			t.Errorf("%v: want the end of the connection", err)
		}
	}
}

func TestAPeerThatStalls(t *testing.T) {
	leakcheck.Check(t)
	held := make(chan *os.File, 1)
	p, left := handled(t, func(f *os.File) { held <- f })
	defer func() { (<-held).Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := portal.Call[int](ctx, p, "f", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v: want the end of the context", err)
	}
	why := errors.New("why it ended")
	called := make(chan error)
	go func() {
		_, err := portal.Call[int](t.Context(), p, "f", 1)
		called <- err
	}()
	left.End(why)
	select {
	case err := <-called:
		if !errors.Is(err, portal.ErrGone) || !errors.Is(err, why) {
			t.Errorf("%v: want the end of the channel", err)
		}
	case <-time.After(soon):
		t.Error("the call has not ended with the channel")
	}
}

// TestConnectionsWithoutEnd connects again and again, and sends garbage: the
// portal keeps one connection.
func TestConnectionsWithoutEnd(t *testing.T) {
	leakcheck.Check(t)
	left, right := channels(t)
	if _, err := portal.New(t.Context(), left, portal.Config{Serve: functions()}); err != nil {
		t.Fatal(err)
	}
	serve(t, left)
	serve(t, right)
	var all []*os.File
	for i := range 50 {
		f, err := right.Connect(t.Context(), "grpc")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if i%2 == 0 {
			f.WriteString("garbage without end")
		}
		all = append(all, f)
	}
	for i, f := range all[:len(all)-1] {
		f.SetReadDeadline(time.Now().Add(soon))
		if _, err := io.Copy(io.Discard, f); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("connection %d: %v, want its end", i, err)
		}
	}
	p, err := portal.New(t.Context(), right, portal.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := portal.Call[point](t.Context(), p, "mirror", point{1, 2}); err != nil || got.X != 2 {
		t.Errorf("a call after that: %v, %v", got, err)
	}
}
