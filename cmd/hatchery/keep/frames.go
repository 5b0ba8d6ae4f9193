package keep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Frames from a caller. Both ends are the same executable, so they have no version.
const (
	frameCall = iota + 1 // a Call; descriptors: the directory, then the child's
	frameKill            // end the child at once
)

// Frames from the server.
const (
	frameHello   = iota + 65 // it is there, and will answer a call
	frameCold                // the call cannot be served warm: why
	frameFailed              // there is no child: a spawn.Error
	frameStarted             // ID is the pid; the plan's notes; one descriptor: its pidfd
	frameEnded               // a spawn.ExitStatus
	frameDone                // nothing of the child is left, or what could not be ended
)

// A Call is what a caller asks for.
type Call struct {
	// Spec is the child. Its environment is given, its program has a path from
	// the root, and its options are the method's.
	Spec spawn.Spec
	// Keep is how long the server stays at least when the child has ended.
	Keep time.Duration
	// Grace is what those have between SIGTERM and SIGKILL whom the child leaves
	// behind.
	Grace time.Duration
}

var errShort = errors.New("a truncated frame")

// frame returns the call as a frame without descriptors.
func (c *Call) frame() *lane.Frame {
	b := binary.LittleEndian.AppendUint64(nil, uint64(c.Keep))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Grace))
	b, _ = c.Spec.AppendBinary(b) // it never fails
	return &lane.Frame{Type: frameCall, Payload: b}
}

// parseCall reads a call. The descriptors are the caller's to close, by the files that
// are returned: the directory, and those of the Spec.
func parseCall(f *lane.Frame) (c Call, dir *os.File, err error) {
	var files []*os.File
	for _, fd := range f.FDs {
		files = append(files, os.NewFile(uintptr(fd), fmt.Sprintf("descriptor %d", fd)))
	}
	c.Spec.Files = files // to be closed, whatever happens
	if f.Type != frameCall || len(f.Payload) < 16 || len(files) == 0 {
		return c, nil, errShort
	}
	spec := spawn.Spec{}
	if err := spec.UnmarshalBinary(f.Payload[16:]); err != nil {
		return c, nil, err
	}
	if !spec.AttachFiles(files[1:]) {
		return c, nil, errShort
	}
	c.Spec = spec
	c.Keep = time.Duration(binary.LittleEndian.Uint64(f.Payload))
	c.Grace = time.Duration(binary.LittleEndian.Uint64(f.Payload[8:]))
	return c, files[0], nil
}

// failed returns the frame that says why there is no child.
func failed(err error) *lane.Frame {
	b, _ := spawn.AsError(err).AppendBinary(nil) // it never fails
	return &lane.Frame{Type: frameFailed, Payload: b}
}

// lines and ofLines are how notes travel.
func lines(notes []string) []byte { return []byte(strings.Join(notes, "\n")) }

func ofLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\n")
}
