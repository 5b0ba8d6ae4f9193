package portal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

// h2 returns a frame of HTTP/2.
func h2(kind, flags byte, stream uint32, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = append(b, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	return string(b) + payload
}

// Types of frames, and flags.
const (
	h2Data, h2Headers, h2Settings, h2Ping, h2GoAway, h2Window = 0, 1, 4, 6, 7, 8
	h2EndStream, h2EndHeaders                                 = 1, 4
)

// noise returns bytes that are always the same.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return string(b)
}

// TestServersThatSpeakBadly begin as a server of HTTP/2 does, and go on as none
// does. Calls end, and say why.
func TestServersThatSpeakBadly(t *testing.T) {
	leakcheck.Check(t)
	portals := map[string]*portal.Portal{}
	settings := h2(h2Settings, 0, 0, "")
	for name, answer := range map[string]string{
		"nothing":               "",
		"noise":                 noise(64 << 10),
		"settings and noise":    settings + noise(64<<10),
		"settings of any size":  h2(h2Settings, 0, 0, "odd"),
		"a frame too long":      settings + "\xff\xff\xff\x00\x00\x00\x00\x00\x01" + noise(64<<10),
		"half a frame":          settings + h2(h2Headers, h2EndHeaders, 1, noise(100))[:50],
		"headers that are none": settings + h2(h2Headers, h2EndHeaders, 1, noise(1000)),
		"data before headers":   settings + h2(h2Data, 0, 1, noise(1000)),
		"a window without end":  settings + strings.Repeat(h2(h2Window, 0, 0, "\x7f\xff\xff\xff"), 3),
		"farewell":              settings + h2(h2GoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x0benough"),
		"a thousand pings":      settings + strings.Repeat(h2(h2Ping, 0, 0, "12345678"), 1000) + noise(1000),
	} {
		portals[name], _ = handled(t, func(f *os.File) {
			go func() {
				defer f.Close()
				f.Read(make([]byte, 1<<10)) // the client begins
				f.WriteString(answer)
			}()
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	var wg sync.WaitGroup
	for name, p := range portals {
		wg.Go(func() {
			for range 2 {
				if _, err := portal.Call[int](ctx, p, "f", 1); !errors.Is(err, portal.ErrGone) || !strings.Contains(err.Error(), "closed the connection") {
					t.Errorf("%s: %v: want the end of the connection", name, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestClientsThatSpeakBadly begin as a client of HTTP/2 does. Their connection
// ends, the portal does not: the next one is served.
func TestClientsThatSpeakBadly(t *testing.T) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := h2(h2Settings, 0, 0, "")
	for name, said := range map[string]string{
		"noise":                    noise(64 << 10),
		"preface and noise":        preface + noise(64<<10),
		"settings and noise":       preface + settings + noise(64<<10),
		"a frame too long":         preface + settings + "\xff\xff\xff\x00\x00\x00\x00\x00\x01" + noise(64<<10),
		"headers that are none":    preface + settings + h2(h2Headers, h2EndHeaders|h2EndStream, 1, noise(1000)),
		"data for nobody":          preface + settings + strings.Repeat(h2(h2Data, 0, 1, noise(1000)), 1000) + noise(1000),
		"a stream of the server's": preface + settings + h2(h2Headers, h2EndHeaders, 2, "\x82"),
		"pings without end":        preface + settings + strings.Repeat(h2(h2Ping, 0, 0, "12345678"), 5000) + noise(1000),
		"resets without end":       preface + settings + resets(3000) + noise(1000),
	} {
		t.Run(name, func(t *testing.T) {
			leakcheck.Check(t)
			left, right := channels(t)
			if _, err := portal.New(t.Context(), left, portal.Config{Serve: functions()}); err != nil {
				t.Fatal(err)
			}
			serve(t, left)
			serve(t, right)
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			defer cancel()
			f, err := right.Connect(ctx, "grpc")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			go f.WriteString(said)
			over := make(chan struct{})
			go func() {
				defer close(over)
				io.Copy(io.Discard, f)
			}()
			select {
			case <-over:
			case <-ctx.Done():
				t.Error("the connection has not ended")
			}
			p, err := portal.New(ctx, right, portal.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := portal.Call[point](ctx, p, "mirror", point{1, 2}); err != nil || got.X != 2 {
				t.Errorf("a call after that: %v, %v", got, err)
			}
		})
	}
}

// resets returns calls, each taken back at once.
func resets(n int) string {
	const h2Reset = 3
	var b bytes.Buffer
	for i := range uint32(n) {
		b.WriteString(h2(h2Headers, h2EndHeaders, 2*i+1, "\x83\x86\x04\x02/x\x0f\x10\x10application/grpc"))
		b.WriteString(h2(h2Reset, 0, 2*i+1, "\x00\x00\x00\x08"))
	}
	return b.String()
}
