package parent

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
)

// FuzzReceive is a parent whose actor says anything.
func FuzzReceive(f *testing.F) {
	frame := func(typ channel.Type, payload string) []byte {
		b := binary.LittleEndian.AppendUint32([]byte{byte(typ), 0, 0, 0}, uint32(len(payload)))
		return append(binary.LittleEndian.AppendUint64(b, 0), payload...)
	}
	hello, started := frame(channel.TypeHello, `{"version":1,"pid":7}`), frame(channel.TypeStarted, `{"addresses":["/unix/x"]}`)
	ended := frame(channel.TypeEnded, `{"error":{"text":"t","type":"spawn","data":"CgFh","wraps":[{"text":"u","type":"errno","data":"Mg=="}]},"canceled":true,"result":{"a":1}}`)
	f.Add(append(append(hello, started...), ended...))
	f.Add(append(started, hello...))
	f.Add(append(ended, ended...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 64<<10 {
			return // what the buffer takes, so that the send does not wait
		}
		ours, theirs, err := channel.Pair()
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Close()
		a := newActor(nil, Spec{Name: "a"}, ours)
		if _, err := theirs.Write(b); err != nil {
			t.Fatal(err)
		}
		syscall.Shutdown(int(theirs.Fd()), syscall.SHUT_WR)
		ours.Serve(a.receive)
		ours.End(nil)
		if closed(a.started) && !closed(a.hello) {
			t.Error("it has started before it said hello")
		}
		if a.report != nil {
			err := a.spec.Errors.Error(a.report.Error)
			_ = fmt.Sprint(err)
			actor.OnlyCanceled(err)
		}
	})
}
