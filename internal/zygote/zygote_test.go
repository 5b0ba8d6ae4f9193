//go:build linux

package zygote

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func channels(t *testing.T) (a, b *Channel) {
	t.Helper()
	x, y, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	a, b = Open(x), Open(y)
	t.Cleanup(func() { a.Close(); b.Close() })
	a.Deadline(10 * time.Second)
	b.Deadline(10 * time.Second)
	return a, b
}

// What is sent arrives, however large it is and whatever bytes are in it, with
// the descriptors.
func TestRoundTrip(t *testing.T) {
	a, b := channels(t)
	want := &Run{
		ID:       "7",
		Settings: []string{"fd=0", SetCwd, "umask=022"},
		Args:     []string{"", "a\nb", "\xff\xfe", strings.Repeat("x", 1<<20)},
		Env:      []string{"A=", "=B", "C"},
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	sent := make(chan error, 1)
	go func() { sent <- a.Send([]int{int(null.Fd()), int(null.Fd()), int(null.Fd())}, want.Fields()...) }()
	fields, fds, err := b.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	got, err := ParseRun(fields)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(fds) != 3 || want.FDs() != 3 {
		t.Errorf("%d descriptors, %d are wanted", len(fds), want.FDs())
	}
	for _, fd := range fds {
		if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0); errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d: flags %#x, %v", fd, flags, errno)
		}
		syscall.Close(fd)
	}
}

// Frames that follow each other at once are told apart, each with its own
// descriptors.
func TestFramesAreToldApart(t *testing.T) {
	a, b := channels(t)
	for _, text := range []string{"one", "two"} {
		if err := a.Send([]int{a.FD()}, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"one", "two"} {
		fields, fds, err := b.Recv()
		if err != nil || !slices.Equal(fields, []string{want}) || len(fds) != 1 {
			t.Errorf("%q, %v, %v: want %q and one descriptor", fields, fds, err, want)
		}
		for _, fd := range fds {
			syscall.Close(fd)
		}
	}
}

func TestEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		bytes string
		want  error
	}{
		"nothing":       {"", io.EOF},
		"half a length": {"\x03\x00", io.ErrUnexpectedEOF},
		"half a frame":  {"\x03\x00\x00\x00ab", io.ErrUnexpectedEOF},
		"no length":     {"\x00\x00\x00\x00", ErrFrame},
		"far too long":  {"\xff\xff\xff\xff", ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := channels(t)
			if _, err := syscall.Write(a.FD(), []byte(tt.bytes)); err != nil {
				t.Fatal(err)
			}
			syscall.Shutdown(a.FD(), syscall.SHUT_WR)
			if fields, _, err := b.Recv(); !errors.Is(err, tt.want) {
				t.Errorf("%q, %v: want %v", fields, err, tt.want)
			}
		})
	}
}

// A peer that says nothing, or does not read, is waited for as long as the
// deadline.
func TestDeadline(t *testing.T) {
	a, _ := channels(t)
	a.Deadline(time.Millisecond)
	if _, _, err := a.Recv(); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("nothing came: %v", err)
	}
	if err := a.Send(nil, strings.Repeat("x", 8<<20)); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("nobody read: %v", err)
	}
}

func TestParseRunRefuses(t *testing.T) {
	for _, fields := range [][]string{
		nil, {Start}, {"stop", "1"}, {Start, "1"}, {Start, "1", "0", "0"}, {Start, "1", "0", "0", "1"},
		{Start, "1", "0", "0", "-1"}, {Start, "1", "0", "0", "x"}, {Start, "1", "0", "0", "0", "more"},
	} {
		if r, err := ParseRun(fields); !errors.Is(err, ErrFrame) {
			t.Errorf("%q: %v, %v", fields, r, err)
		}
	}
}

func FuzzParseRun(f *testing.F) {
	f.Add("run\x001\x001\x00umask=0\x001\x00a\x001\x00A=b")
	f.Fuzz(func(t *testing.T, s string) {
		fields := strings.Split(s, "\x00")
		if r, err := ParseRun(fields); err == nil {
			if again, err := ParseRun(r.Fields()); err != nil || cmp.Diff(r, again) != "" {
				t.Errorf("%q: %v, %v", s, again, err)
			}
		}
	})
}
