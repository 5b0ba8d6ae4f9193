package keeper

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// FuzzGarbageForKeeper sends a keeper whatever a host could send, and looks
// whether it is as before. A frame that would end it is no garbage.
func FuzzGarbageForKeeper(f *testing.F) {
	whole := shell(f, "exit 0").append(nil)
	for n := range len(whole) {
		f.Add(uint8(frameLaunch), whole[:n], uint8(0))
	}
	f.Add(uint8(frameLaunch), append(whole, 0), uint8(0))
	for _, l := range hostileLaunches(f) {
		f.Add(uint8(frameLaunch), l.append(nil), uint8(0))
		f.Add(uint8(frameLaunch), l.append(nil), uint8(3))
	}
	for typ := range 8 {
		f.Add(uint8(typ), []byte{}, uint8(1))
		f.Add(uint8(typ), bytes.Repeat([]byte{0xff}, 12), uint8(250))
		f.Add(uint8(typ), bytes.Repeat([]byte{0xff}, 100_000), uint8(2))
	}
	f.Add(uint8(frameLaunch), bytes.Repeat([]byte{0x80}, 1<<20), uint8(0))
	f.Add(uint8(frameSignal), binary.LittleEndian.AppendUint32(make([]byte, 8), math.MaxUint32), uint8(0))
	c := newClient(f)
	good(f, c)
	before := stateOf(f, c)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { null.Close() })
	tried := 0
	f.Fuzz(func(t *testing.T, typ uint8, payload []byte, fds uint8) {
		if typ == frameEnd || typ == frameDismiss {
			t.Skip("an order to end")
		}
		frame := lane.Frame{Type: typ, ID: 1<<40 + uint64(tried), Payload: payload} // no id of the client's
		for range min(int(fds), lane.MaxFDs) {
			frame.FDs = append(frame.FDs, int(null.Fd()))
		}
		if err := c.send(t.Context(), &frame); err != nil {
			t.Fatal(err)
		}
		raw := append([]byte{typ, fds, fds}, payload[:min(len(payload), 150_000)]...)
		if _, err := syscall.SendmsgN(c.conn.Fd(), raw, rights(frame.FDs), nil, 0); err != nil && err != syscall.EAGAIN {
			t.Fatal(err)
		}
		if tried++; tried%16 == 0 {
			good(t, c)
			before.compare(t, c)
		}
	})
}

func rights(fds []int) []byte {
	if len(fds) == 0 {
		return nil
	}
	return syscall.UnixRights(fds...)
}

// hostileLaunches are requests that are well-formed and make no sense.
func hostileLaunches(t testing.TB) (all []*Launch) {
	add := func(change func(l *Launch)) {
		l := shell(t, "exit 0")
		change(l)
		all = append(all, l)
	}
	for _, n := range []int{-1, math.MinInt, math.MaxInt, 1 << 20, 1 << 16} {
		add(func(l *Launch) { l.Files = []int{0, n, 1} })
	}
	add(func(l *Launch) { l.Files = make([]int, 5000) })
	add(func(l *Launch) { l.Plan = bytes.Repeat([]byte{0x0a, 0x00}, 4096) })
	add(func(l *Launch) { l.Plan = bytes.Repeat([]byte{0x12, 0x00}, 8<<20) })
	add(func(l *Launch) {
		l.Plan = encode(t, &spawn.Plan{Steps: []spawn.Step{{Op: "setgroups", Args: make([]spawn.Arg, 300_000)}}})
	})
	add(func(l *Launch) { l.Path, l.Dir = "\x00", strings.Repeat("/", 1<<20) })
	add(func(l *Launch) { l.Args, l.Env = make([]string, 1<<18), make([]string, 1<<18) })
	add(func(l *Launch) {
		p := spawn.Standard(&spawn.Spec{})
		for range 4000 {
			p.Insert(spawn.Files())
		}
		l.Plan, l.Files = encode(t, p), []int{0, 1, 2}
	})
	return all
}
