//go:build linux

package inspect

import (
	"encoding/binary"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
)

type entry = keeper.Entry

func entryOf(pid int, earliest, latest time.Duration) entry {
	return entry{Pid: pid, Earliest: earliest, Latest: latest}
}

// writeRecord writes a record as a keeper would have left it.
func writeRecord(t *testing.T, path string, entries []entry) {
	t.Helper()
	const slots = 8192
	b := make([]byte, 32+slots*24)
	le := binary.LittleEndian
	copy(b, "hatchry1")
	le.PutUint32(b[8:], slots)
	le.PutUint32(b[12:], 4000001)
	for i, e := range entries {
		s := b[32+(4096+i)*24:]
		le.PutUint32(s, uint32(e.Pid))
		le.PutUint64(s[8:], uint64(e.Earliest))
		le.PutUint64(s[16:], uint64(e.Latest))
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := keeper.ReadRecord(path); err != nil || len(r.Entries) != len(entries) {
		t.Fatalf("the forged record is none: %+v, %v", r, err)
	}
}

// startOf returns when a process began, since boot.
func startOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	s, err := linux.ReadStat(pid)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Duration(s.StartTime) * time.Second / linux.TicksPerSecond
	return from
}

func selfStart(t *testing.T) uint64 {
	t.Helper()
	p, ok := runfolder.ProcessOf(os.Getpid())
	if !ok {
		t.Fatal("this process is not there")
	}
	return p.Start
}

func stopProcess(t *testing.T, pid int) {
	t.Helper()
	syscall.Kill(pid, syscall.SIGSTOP)
	eventually(t, func() bool { s, _ := linux.ReadStat(pid); return s.State == 'T' })
}

func resume(pid int) { syscall.Kill(pid, syscall.SIGCONT) }
