package host

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// HangDump says where [Host.DumpOnHang] puts a dump and who is told of it. The
// zero value is ready for use.
type HangDump struct {
	// Dir is the folder of the file, which must exist. Empty means
	// os.TempDir().
	Dir string

	// OnDump is told of the file once it is complete, or, with an empty
	// path, why there is none. It runs beside the block, which it does not
	// hold up. The library itself never logs.
	OnDump func(path string, err error)
}

// DumpOnHang writes a dump to a file when a block of code outlasts its limit:
//
//	stop := h.DumpOnHang(30*time.Second, host.HangDump{OnDump: tell})
//	defer stop()
//
// The block goes on; there is one dump for each block at most, made when the
// limit is over, and none when stop is called before. The file is named
// hatchery-dump-PID-*.txt, a new one each time, readable by its owner alone (see
// [Host.Dump] for what is in it), and nobody removes it. It is complete
// when OnDump is told of it, and when stop has returned.
//
// stop may be called more than once. It waits for a dump that is being made,
// which takes as long as Dump and the file system do, but not for OnDump.
func (h *Host) DumpOnHang(limit time.Duration, o HangDump) (stop func()) {
	made := make(chan struct{})
	timer := time.AfterFunc(limit, func() {
		path, err := h.dumpToFile(o.Dir)
		close(made)
		if o.OnDump != nil {
			o.OnDump(path, err)
		}
	})
	return func() {
		if timer.Stop() {
			close(made)
		}
		<-made
	}
}

// dumpToFile writes a dump to a new file in a folder and returns its path.
func (h *Host) dumpToFile(dir string) (path string, err error) {
	f, err := os.CreateTemp(dir, "hatchery-dump-"+strconv.Itoa(os.Getpid())+"-*.txt") // mode 0600, and new
	if err != nil {
		return "", &spawn.Error{Op: "dump", Err: err}
	}
	if err := errors.Join(h.Dump(context.Background(), f), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
