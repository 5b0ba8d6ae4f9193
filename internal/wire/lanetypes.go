package wire

import (
	"os"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
)

// The types of frames on the plan lane, spawnv1.LaneType.
const (
	lanePlan     = uint8(spawnv1.LaneType_LANE_TYPE_PLAN)
	lanePlanned  = uint8(spawnv1.LaneType_LANE_TYPE_PLANNED)
	laneSpawn    = uint8(spawnv1.LaneType_LANE_TYPE_SPAWN)
	laneSpawned  = uint8(spawnv1.LaneType_LANE_TYPE_SPAWNED)
	laneExited   = uint8(spawnv1.LaneType_LANE_TYPE_EXITED)
	laneSignal   = uint8(spawnv1.LaneType_LANE_TYPE_SIGNAL)
	laneSignaled = uint8(spawnv1.LaneType_LANE_TYPE_SIGNALED)
	laneFailed   = uint8(spawnv1.LaneType_LANE_TYPE_FAILED)
	laneCancel   = uint8(spawnv1.LaneType_LANE_TYPE_CANCEL)
	laneEarly    = uint8(spawnv1.LaneType_LANE_TYPE_EARLY)
	laneHello    = uint8(spawnv1.LaneType_LANE_TYPE_HELLO)
	laneControl  = uint8(spawnv1.LaneType_LANE_TYPE_CONTROL)
)

// laneWindow is how many requests a host has unanswered at most, and how many
// a plugin works on at once. Descriptors in flight count against the sender's
// limit.
const laneWindow = 128

// receivedFiles returns the descriptors of f as files, which the caller owns.
func receivedFiles(f *lane.Frame) []*os.File {
	if len(f.FDs) == 0 {
		return nil
	}
	files := make([]*os.File, len(f.FDs))
	for i, fd := range f.FDs {
		files[i] = os.NewFile(uintptr(fd), "lane")
	}
	f.FDs = f.FDs[:0]
	return files
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// descriptors returns the numbers of files, which must stay open while the
// numbers are used. It does not change the mode of a file, as (*os.File).Fd
// does.
func descriptors(files []*os.File) ([]int, error) {
	if len(files) == 0 {
		return nil, nil
	}
	fds := make([]int, 0, len(files))
	for _, f := range files {
		raw, err := f.SyscallConn()
		if err != nil {
			return nil, err
		}
		if err := raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) }); err != nil {
			return nil, err
		}
	}
	return fds, nil
}
