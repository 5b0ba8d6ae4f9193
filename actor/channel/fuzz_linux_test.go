package channel_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
)

// FuzzServe sends bytes, and a descriptor with the first of them, to a channel
// whose owner decodes everything. Serve has to return, with no descriptor left.
func FuzzServe(f *testing.F) {
	f.Add(frame(channel.TypeHello, 0, 0, `{"version":1}`), false)
	f.Add(frame(channel.TypeSpawn, 0, 0, `{"name":"a","parent":{"name":"p"},"variables":{"k":"v"},"args":["x"]}`), false)
	f.Add(frame(channel.TypeConnect, 1, 3, `{"service":"echo"}`), true)
	f.Add(append(frame(channel.TypeCancel, 0, 2, `{"by":"x"}`), frame(channel.TypeEnded, 0, 0, `{"error":{"text":"t","wraps":[{"text":"u"},null]}}`)...), false)
	f.Add(append(frame(channel.TypeAnswer, 0, 1, `{"error":null}`), frame(99, 0, 9, `[]`)...), true)
	f.Fuzz(func(t *testing.T, b []byte, withDescriptor bool) {
		if len(b) == 0 || len(b) > 64<<10 {
			return // what the buffer takes, so that the send does not wait
		}
		c, peer := raw(t)
		var rights []byte
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if withDescriptor {
			rights = syscall.UnixRights(int(w.Fd()))
		}
		if err := syscall.Sendmsg(int(peer.Fd()), b, rights, nil, 0); err != nil {
			t.Fatal(err)
		}
		w.Close()
		syscall.Shutdown(int(peer.Fd()), syscall.SHUT_WR)
		c.Handle("echo", func(f *os.File) { f.Close() })
		c.Serve(func(m *channel.Message) error {
			for _, v := range []any{new(channel.Hello), new(channel.Spawn), new(channel.Started), new(channel.Cancel), new(channel.Ended)} {
				if err := m.Decode(v); err != nil && m.ID != 0 {
					return err
				}
			}
			return channel.ErrUnknown
		})
		c.End(nil)
		r.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := r.Read(make([]byte, 1)); n != 0 || os.IsTimeout(err) {
			t.Errorf("the descriptor is still open: %d, %v", n, err)
		}
	})
}
