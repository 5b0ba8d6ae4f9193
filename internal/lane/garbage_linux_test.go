package lane

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// message is what a peer sends that does not use this package.
type message struct {
	head header
	body []byte
	raw  []byte // in place of head and body
	fds  []int
	errs error // what the error matches beside ErrFrame
}

func (m message) bytes() []byte {
	if m.raw != nil {
		return m.raw
	}
	var b [headerSize]byte
	m.head.put(b[:])
	return append(b[:], m.body...)
}

// memfd is one with the contents and seals given, closed when t ends.
func memfd(t testing.TB, contents string, seals int) int {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.Write(fd, []byte(contents)); err != nil {
		t.Fatal(err)
	}
	if seals != 0 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
			t.Fatal(err)
		}
	}
	return fd
}

const allSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// garbage is what no lane sends, of both kinds of socket.
func garbage() map[string]message {
	return map[string]message{
		"short header":            {raw: make([]byte, headerSize-1)},
		"one byte":                {raw: []byte{1}},
		"short with descriptor":   {raw: []byte{1}, fds: []int{0}},
		"unknown flag":            {head: header{typ: 4, id: 5, flags: 2}},
		"unknown flags":           {head: header{typ: 4, id: 5, flags: 0xff}, fds: []int{0}},
		"payload too long":        {head: header{typ: 4, id: 5, length: MaxPayload + 1}},
		"payload far too long":    {head: header{typ: 4, id: 5, length: 1<<32 - 1}},
		"payload missing":         {head: header{typ: 4, id: 5, length: 1}},
		"payload cut":             {head: header{typ: 4, id: 5, length: 100}, body: make([]byte, 99)},
		"descriptors missing":     {head: header{typ: 4, id: 5, nfds: 3}, fds: []int{0, 0}},
		"no descriptor":           {head: header{typ: 4, id: 5, nfds: 1}},
		"descriptor unannounced":  {head: header{typ: 4, id: 5}, fds: []int{0}},
		"descriptors unannounced": {head: header{typ: 4, id: 5, nfds: 3}, fds: []int{0, 0, 0, 0}},
		"too many":                {head: header{typ: 4, id: 5, nfds: MaxFDs + 1}, fds: make([]int, MaxFDs+1)},
		"far too many":            {head: header{typ: 4, id: 5, nfds: 1<<16 - 1}, fds: make([]int, 253)},
		"memfd missing":           {head: header{typ: 4, id: 5, flags: flagMemfd, length: 5}},
	}
}

// packetGarbage is what only a packet can be.
func packetGarbage(t *testing.T) map[string]message {
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(pipe[:]) })
	h := header{typ: 4, id: 5, flags: flagMemfd, length: 5}
	good := memfd(t, "hello", allSeals)
	huge := memfd(t, "", 0)
	if err := unix.Ftruncate(huge, MaxPayload+1); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(huge), unix.F_ADD_SEALS, allSeals); err != nil {
		t.Fatal(err)
	}
	return map[string]message{
		"empty":                 {raw: []byte{}},
		"empty with descriptor": {raw: []byte{}, fds: []int{0}},
		"payload longer":        {head: header{typ: 4, id: 5, length: 1}, body: make([]byte, 2)},
		"payload unannounced":   {head: header{typ: 4, id: 5}, body: make([]byte, MaxInline)},
		"message too long":      {head: header{typ: 4, id: 5, length: MaxInline + 1}, body: make([]byte, MaxInline+1)},
		"message cut to fit":    {head: header{typ: 4, id: 5, length: MaxInline}, body: make([]byte, MaxInline+1)},
		"memfd and payload":     {head: h, body: []byte("hello"), fds: []int{good}},
		"memfd among others":    {head: h, fds: []int{good, good}},
		"memfd is a pipe":       {head: h, fds: []int{pipe[0]}, errs: syscall.EINVAL},
		"memfd is a device":     {head: h, fds: []int{0}, errs: syscall.EINVAL},
		"memfd unsealed":        {head: h, fds: []int{memfd(t, "hello", 0)}},
		"memfd can shrink":      {head: h, fds: []int{memfd(t, "hello", allSeals&^unix.F_SEAL_SHRINK)}},
		"memfd can change":      {head: h, fds: []int{memfd(t, "hello", allSeals&^unix.F_SEAL_WRITE)}},
		"memfd too short":       {head: h, fds: []int{memfd(t, "hell", allSeals)}},
		"memfd too long":        {head: h, fds: []int{memfd(t, "hello!", allSeals)}},
		"memfd beyond limit":    {head: header{typ: 4, id: 5, flags: flagMemfd, length: MaxPayload + 1}, fds: []int{huge}},
		"memfd second":          {head: header{typ: 4, id: 5, flags: flagMemfd, length: 5, nfds: 1}, fds: []int{0, good}, errs: syscall.EINVAL},
	}
}

// sendRaw sends m as it is.
func sendRaw(t testing.TB, fd int, m message) {
	t.Helper()
	var oob []byte
	if len(m.fds) > 0 {
		oob = syscall.UnixRights(m.fds...)
	}
	// Unlike the one in syscall, it sends an empty message when told to.
	if _, err := unix.SendmsgN(fd, m.bytes(), oob, nil, unix.MSG_NOSIGNAL); err != nil {
		t.Fatal(err)
	}
}

func checkGarbage(t *testing.T, name string, m message, f *Frame, err error) {
	t.Helper()
	var frameErr *FrameError
	if !errors.Is(err, ErrFrame) || !errors.As(err, &frameErr) || m.errs != nil && !errors.Is(err, m.errs) {
		t.Errorf("%s: error %v, want ErrFrame", name, err)
	}
	if len(f.FDs) != 0 || len(f.Payload) != 0 {
		t.Errorf("%s: left %d bytes, %d descriptors", name, len(f.Payload), len(f.FDs))
	}
	if m.raw == nil && (f.Type != 4 || f.ID != 5) {
		t.Errorf("%s: type %d, id %d, want the header's", name, f.Type, f.ID)
	}
}

func TestGarbagePacket(t *testing.T) {
	all := packetGarbage(t)
	for name, m := range garbage() {
		all[name] = m
	}
	for _, mode := range []Mode{Polled, Blocking} {
		t.Run(mode.String(), func(t *testing.T) {
			noLeak(t)
			a, b := connPair(t, syscall.SOCK_SEQPACKET, mode)
			var f Frame
			for name, m := range all {
				before := openFDs(t)
				sendRaw(t, a.Fd(), m)
				checkGarbage(t, name, m, &f, b.Recv(&f))
				if after := openFDs(t); after != before {
					t.Errorf("%s: %d descriptors leaked", name, after-before)
				}
				// The connection is as good as before.
				if err := a.Send(&Frame{ID: 6, Payload: []byte(name)}); err != nil {
					t.Fatal(err)
				}
				if f := recv(t, b); f.ID != 6 || string(f.Payload) != name {
					t.Errorf("%s: next frame is %d %q", name, f.ID, f.Payload)
				}
			}
		})
	}
}

func TestGarbageStream(t *testing.T) {
	all := garbage()
	all["memfd"] = message{head: header{typ: 4, id: 5, flags: flagMemfd, length: 5}, fds: []int{memfd(t, "hello", allSeals)}}
	for name, m := range all {
		for _, mode := range []Mode{Polled, Blocking} {
			t.Run(name+"/"+mode.String(), func(t *testing.T) {
				noLeak(t)
				a, b := connPair(t, syscall.SOCK_STREAM, mode)
				sendRaw(t, a.Fd(), m)
				if len(m.bytes()) < headerSize+int(min(m.head.length, MaxPayload)) {
					syscall.Shutdown(a.Fd(), syscall.SHUT_WR) // no more will come
				} else if err := a.Send(new(Frame)); err != nil {
					t.Fatal(err)
				}
				var f Frame
				checkGarbage(t, name, m, &f, b.Recv(&f))
				// The lane is over, at both ends.
				for _, c := range []*Conn{a, b} {
					if err := c.Recv(&f); err != io.EOF {
						t.Errorf("recv: %v, want EOF", err)
					}
					if err := c.Send(&f); !errors.Is(err, syscall.EPIPE) {
						t.Errorf("send: %v, want EPIPE", err)
					}
				}
			})
		}
	}
}

// TestStreamInPieces: the bytes of a stream may come one by one, and with a
// descriptor where there should be none.
func TestStreamInPieces(t *testing.T) {
	for _, mode := range []Mode{Polled, Blocking} {
		t.Run(mode.String(), func(t *testing.T) {
			noLeak(t)
			a, b := connPair(t, syscall.SOCK_STREAM, mode)
			send := func(h header, body string, bad int) {
				fds := []int{0, 1}
				for i, c := range (message{head: h, body: []byte(body)}).bytes() {
					if i == bad {
						fds = []int{0}
					}
					sendRaw(t, a.Fd(), message{raw: []byte{c}, fds: fds})
					fds = nil
				}
			}
			h := header{typ: 4, id: 5, nfds: 2, length: 5}
			send(h, "hello", -1)
			f := recv(t, b)
			closeAll(f.FDs)
			if len(f.FDs) != 2 || !bytes.Equal(f.Payload, []byte("hello")) {
				t.Errorf("got %q, %d descriptors", f.Payload, len(f.FDs))
			}
			send(h, "hello", headerSize+2)
			checkGarbage(t, "descriptor in payload", message{head: h}, f, b.Recv(f))
		})
	}
}

// TestOtherControlMessage: credentials that this end was made to ask for.
func TestOtherControlMessage(t *testing.T) {
	noLeak(t)
	a, b := connPair(t, syscall.SOCK_SEQPACKET, Polled)
	for _, opt := range []int{unix.SO_PASSCRED, unix.SO_PASSPIDFD} {
		if err := unix.SetsockoptInt(b.Fd(), unix.SOL_SOCKET, opt, 1); err != nil {
			t.Logf("option %d: %v", opt, err) // SO_PASSPIDFD came with Linux 6.5
		}
		for _, n := range []int{0, 1, MaxFDs} {
			if err := a.Send(&Frame{Type: 4, ID: 5, FDs: make([]int, n)}); err != nil {
				t.Fatal(err)
			}
			var f Frame
			checkGarbage(t, "credentials", message{}, &f, b.Recv(&f))
		}
	}
}

// TestNoRoomForDescriptors: the frame is lost, the answer to it need not be.
func TestNoRoomForDescriptors(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		var old syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
		if err := a.Send(&Frame{Type: 4, ID: 5, FDs: make([]int, 20)}); err != nil {
			t.Fatal(err)
		}
		next, err := syscall.Dup(0)
		if err != nil {
			t.Fatal(err)
		}
		syscall.Close(next)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: uint64(next + 10), Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		var f Frame
		err = b.Recv(&f)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
		checkGarbage(t, "no room", message{errs: syscall.EMFILE}, &f, err)
	})
}
