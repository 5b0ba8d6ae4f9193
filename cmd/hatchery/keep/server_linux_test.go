package keep

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// The longest time that anybody asked for counts, and no more than a day.
func TestServerStaysForTheLongest(t *testing.T) {
	s := new(server)
	for _, tt := range []struct{ asks, want time.Duration }{
		{time.Minute, time.Minute}, {time.Second, time.Minute}, {time.Hour, time.Hour}, {1 << 62, Longest}, {-1, Longest},
	} {
		if s.asks(tt.asks); s.keep != tt.want {
			t.Errorf("after %v it stays for %v, want %v", tt.asks, s.keep, tt.want)
		}
	}
}

// A server that is ending has no further calls, and is over with the last of them.
func TestServerEnding(t *testing.T) {
	socket, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{socket: socket, idle: time.NewTimer(time.Hour), over: make(chan struct{})}
	if !s.begin() || !s.begin() {
		t.Fatal("it takes no calls")
	}
	s.tooLong() // by a timer that was late
	s.done()
	s.end()
	s.end()
	if s.begin() {
		t.Error("a call begins at the end")
	}
	select {
	case <-s.over:
		t.Error("it is over with a call under way")
	default:
	}
	s.done()
	<-s.over
}

// What is no call is refused, and leaks nothing.
func TestParseCall(t *testing.T) {
	call := Call{Spec: spawn.Spec{Path: "/bin/true", Args: []string{"true", ""}, Env: []string{}}, Keep: time.Minute, Grace: time.Second}
	whole := call.frame().Payload
	for n := range whole {
		if _, _, err := parseCall(&lane.Frame{Type: frameCall, Payload: whole[:n]}); err == nil {
			t.Errorf("%d bytes of %d and no directory are taken for a call", n, len(whole))
		}
	}
	if _, _, err := parseCall(&lane.Frame{Type: frameKill, Payload: whole}); err == nil {
		t.Error("a frame of another type is taken for a call")
	}
}
