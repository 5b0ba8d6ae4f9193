//go:build unix

package wire_test

import (
	"context"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/wiretest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// BenchmarkStart measures a plugin's start up to the answer of the first call,
// and its stop.
func BenchmarkStart(b *testing.B) {
	l := wiretest.New(b, helperproc.Path(), helperproc.Argv("plugin", "ok")...)
	dir := wiretest.SocketDir(b)
	var stop time.Duration
	for b.Loop() {
		c, err := wire.Dial(b.Context(), wire.ClientConfig{Key: testKey, Start: l.Start, SocketDir: dir})
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if err := c.Close(context.Background(), 5*time.Second); err != nil || c.Forced() {
			b.Fatal(err, c.Forced())
		}
		l.Last().Release()
		stop += time.Since(begin)
	}
	b.ReportMetric(float64(stop.Microseconds())/float64(b.N), "µs/stop")
}

// BenchmarkProbe measures a call on the control connection.
func BenchmarkProbe(b *testing.B) {
	l := wiretest.New(b, helperproc.Path(), helperproc.Argv("plugin", "ok")...)
	c, err := wire.Dial(b.Context(), wire.ClientConfig{Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background(), time.Second)
	for b.Loop() {
		if err := c.Probe(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlan measures a round trip on the plan lane, within one process.
func BenchmarkPlan(b *testing.B) {
	host, plugin, err := lane.Pair()
	if err != nil {
		b.Fatal(err)
	}
	conn, err := lane.Open(plugin, lane.Polled)
	if err != nil {
		b.Fatal(err)
	}
	hostConn, err := lane.Open(host, lane.Polled)
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- wire.ServeLane(context.Background(), conn, backend{plan: standard}) }()
	p := wire.NewPlanner(testKey, hostConn)
	s := &spawn.Spec{Path: "/bin/true", Args: []string{"true"}, Dir: "/"}
	for b.Loop() {
		if _, err := p.Plan(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	p.Close()
	if err := <-served; err != nil {
		b.Fatal(err)
	}
}
