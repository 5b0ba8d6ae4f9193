package keeper

import (
	"syscall"
	"testing"
	"time"
)

// TestAdoptersSpeakTheSame: who adopts a child may be another version of the
// program than its keeper. When this test fails, detached.Version has to grow.
func TestAdoptersSpeakTheSame(t *testing.T) {
	for name, n := range map[string][2]int{
		"signal": {frameSignal, 2}, "kill": {frameKill, 3}, "end": {frameEnd, 5}, "ask": {frameAsk, 7}, "adopt": {frameAdopt, 10},
		"launched": {frameLaunched, 65}, "exited": {frameExited, 66}, "done": {frameDone, 67}, "askGroup": {askGroup, 1 << 16},
		"an exit": {exitSize, 97}, "its note": {exitFileSize, 244},
	} {
		if n[0] != n[1] {
			t.Errorf("%s is %d, and was %d", name, n[0], n[1])
		}
	}
	dir := t.TempDir()
	const nonce = "0123456789abcdef0123456789abcdef"
	note, err := newExitNote(dir, nonce)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadExit(dir, nonce); err == nil {
		t.Error("there is an exit before one was written")
	}
	usage := syscall.Rusage{Maxrss: 3, Minflt: 4}
	note.write(appendExit(nil, 1, 4711, 7<<8, &usage, time.Unix(5, 6), false, 0))
	s, err := ReadExit(dir, nonce)
	if err != nil || s.Code != 7 || !s.Time.Equal(time.Unix(5, 6)) || s.Rusage.MinorFaults != 4 {
		t.Errorf("%+v, %v", s, err)
	}
}
