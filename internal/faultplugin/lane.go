//go:build unix

package faultplugin

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// laneModes answer requests on the plan lane with the wrong frames.
func laneModes() []Mode {
	mode := func(name, explain string, stage Stage, kind error, answer func(*lane.Conn, *lane.Frame), says ...string) Mode {
		return Mode{Name: "lane_" + name, Explain: explain, Stage: stage, Kind: kind, Says: says,
			run: func(key string) int {
				return plugin{key: key, lane: func(conn *lane.Conn) { eachRequest(conn, answer) }}.serve()
			}}
	}
	planned := func(payload func(*lane.Frame) []byte) func(*lane.Conn, *lane.Frame) {
		return func(conn *lane.Conn, f *lane.Frame) {
			reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_PLANNED, payload(f))
		}
	}
	return []Mode{
		mode("garbage", "answers with a plan of random bytes", AtSpawn, spawn.ErrProtocol,
			planned(func(*lane.Frame) []byte { return []byte(strings.Repeat("\xff\x00\x83", 10_000)) }), "cannot be decoded"),
		mode("counts", "answers with a plan whose lengths are larger than any memory", AtSpawn, spawn.ErrProtocol,
			planned(func(*lane.Frame) []byte { return binary.AppendUvarint([]byte{0x0a}, 1<<62) }), "cannot be decoded"),
		mode("oversize", "answers with a plan of 48 MiB", AtSpawn, spawn.ErrProtocol,
			planned(func(*lane.Frame) []byte { return make([]byte, 48<<20) }), "at most"),
		mode("stranger", "answers a request that nobody made", AtSpawn, spawn.ErrProtocol,
			func(conn *lane.Conn, f *lane.Frame) {
				reply(conn, f.ID+1000, spawnv1.LaneType_LANE_TYPE_PLANNED, standard(f))
			}, "nobody made"),
		mode("type", "answers a request for a plan as if it had been one for a child", AtSpawn, spawn.ErrProtocol,
			func(conn *lane.Conn, f *lane.Frame) { reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_SPAWNED, nil) }, "answered a request of type"),
		mode("twice", "answers every request twice", Works, nil,
			func(conn *lane.Conn, f *lane.Frame) {
				reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_PLANNED, standard(f))
				reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_PLANNED, standard(f))
			}),
		mode("failed", "answers with an error of random bytes", AtSpawn, spawn.ErrProtocol,
			func(conn *lane.Conn, f *lane.Frame) {
				reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_FAILED, []byte("\xff\xff\xff"))
			}, "cannot be decoded"),
		mode("wordy", "answers with an error whose text has 16 MiB", AtSpawn, spawn.ErrUnavailable,
			func(conn *lane.Conn, f *lane.Frame) {
				b, _ := (&spawn.Error{Kind: spawn.ErrUnavailable, Msg: strings.Repeat("alas ", 16<<20/5)}).AppendBinary(nil) // never fails
				reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_FAILED, b)
			}, "alas"),
		mode("noframe", "sends what is no frame", AtSpawn, spawn.ErrProtocol,
			func(*lane.Conn, *lane.Frame) { syscall.Write(wire.LaneFD, []byte("good morning")) }, "bad frame"),
		mode("header", "sends a frame whose header promises more than comes", AtSpawn, spawn.ErrProtocol,
			func(*lane.Conn, *lane.Frame) {
				syscall.Write(wire.LaneFD, []byte("\x02\x01\xfa\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00"))
			}, "bad frame"),
		mode("flood", "sends 20 000 frames of an unknown type, each with a descriptor, and then the answer", Works, nil,
			func(conn *lane.Conn, f *lane.Frame) {
				for range 20_000 {
					conn.Send(&lane.Frame{Type: 200, ID: f.ID, FDs: []int{0}})
				}
				reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_PLANNED, standard(f))
			}),
		mode("leave", "closes its end of the lane and lives on", AtSpawn, spawn.ErrPluginGone,
			func(conn *lane.Conn, _ *lane.Frame) { conn.Shutdown(); hang() }, "left the plan lane"),
	}
}

// eachRequest calls answer for every request for a plan or a child.
func eachRequest(conn *lane.Conn, answer func(*lane.Conn, *lane.Frame)) {
	var f lane.Frame
	for conn.Recv(&f) == nil {
		for _, fd := range f.FDs {
			syscall.Close(fd)
		}
		switch spawnv1.LaneType(f.Type) {
		case spawnv1.LaneType_LANE_TYPE_PLAN, spawnv1.LaneType_LANE_TYPE_SPAWN:
			answer(conn, &f)
		}
	}
}

func reply(conn *lane.Conn, id uint64, typ spawnv1.LaneType, payload []byte) {
	if err := conn.Send(&lane.Frame{Type: uint8(typ), ID: id, Payload: payload}); err != nil {
		fmt.Fprintln(os.Stderr, "bug: ", err)
	}
}

// standard returns the right answer to a request.
func standard(f *lane.Frame) []byte {
	s := new(spawn.Spec)
	if err := s.UnmarshalBinary(f.Payload); err != nil {
		fmt.Fprintln(os.Stderr, "bug: ", err)
	}
	b, _ := spawn.Standard(s).AppendBinary(nil) // never fails
	return b
}
