//go:build unix

package faultplugin

import (
	"os"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
)

// remoteModes make children of their own and report on them badly.
func remoteModes() []Mode {
	mode := func(name, explain string, says string, spawned func(*lane.Conn, *lane.Frame)) Mode {
		return Mode{Name: "remote_" + name, Explain: explain, Stage: AtExit, Says: []string{says}, run: func(key string) int {
			return plugin{key: key, features: []string{wire.FeatureSpawner}, lane: func(conn *lane.Conn) {
				eachRequest(conn, func(conn *lane.Conn, f *lane.Frame) {
					reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_SPAWNED, nil)
					spawned(conn, f)
				})
			}}.serve()
		}}
	}
	return []Mode{
		mode("garbage", "reports the end of a child in random bytes", "cannot be decoded",
			func(conn *lane.Conn, f *lane.Frame) {
				reply(conn, f.ID, spawnv1.LaneType_LANE_TYPE_EXITED, []byte("\xff\xff\xff"))
			}),
		mode("panic", "panics while a child of its own runs", "left the plan lane",
			func(*lane.Conn, *lane.Frame) { panic("the well is dry") }),
		mode("leave", "closes the lane while a child of its own runs", "left the plan lane",
			func(conn *lane.Conn, _ *lane.Frame) { conn.Shutdown(); os.Stderr.Sync(); hang() }),
	}
}
