package actor

import (
	"context"
	"encoding/binary"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// FuzzLive is an actor whose parent says anything, and then dies. It has to end.
func FuzzLive(f *testing.F) {
	frame := func(typ channel.Type, id uint64, payload string) []byte {
		b := binary.LittleEndian.AppendUint32([]byte{byte(typ), 0, 0, 0}, uint32(len(payload)))
		return append(binary.LittleEndian.AppendUint64(b, id), payload...)
	}
	f.Add(append(frame(channel.TypeSpawn, 0, `{"name":"a","entry":"wait","sigint":"self"}`), frame(channel.TypeCancel, 1, `{"by":"x"}`)...))
	f.Add(append(frame(channel.TypeSpawn, 0, `{"entry":"fail","args":["x"]}`), frame(channel.TypeSpawn, 9, `{}`)...))
	f.Add(append(frame(channel.TypeSpawn, 3, `{"entry":"none"}`), frame(200, 1, `7`)...))
	f.Add(append(frame(channel.TypeCancel, 0, `{}`), frame(channel.TypeHello, 1, `{}`)...))
	p := Program{Entries: map[string]Entry{
		"wait": {Run: func(ctx context.Context, a *Actor) error { <-ctx.Done(); return context.Cause(ctx) }},
		"fail": {Run: func(_ context.Context, a *Actor) error { return a.Return(a.Args) }},
	}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 64<<10 {
			return // what the buffer takes, so that the send does not wait
		}
		raw, theirs, err := lane.StreamPair()
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(raw)
		ch, err := channel.Open(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := syscall.Write(raw, b); err != nil {
			t.Fatal(err)
		}
		syscall.Shutdown(raw, syscall.SHUT_WR)
		over := make(chan int)
		go func() { over <- p.live(ch) }()
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			t.Fatal("it does not end")
		}
	})
}
