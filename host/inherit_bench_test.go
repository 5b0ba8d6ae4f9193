//go:build linux && (amd64 || arm64)

package host

import "testing"

// BenchmarkInherited measures what every spawn pays for knowing what the host
// has at that moment.
func BenchmarkInherited(b *testing.B) {
	g := newGatherer()
	defer g.close()
	b.ReportAllocs()
	first := g.now()
	for b.Loop() {
		if g.now() != first {
			b.Fatal("it changed")
		}
	}
}

// BenchmarkBirth measures the part that asks whether a new keeper is needed.
func BenchmarkBirth(b *testing.B) {
	g := newGatherer()
	defer g.close()
	first := g.birth()
	for b.Loop() {
		if g.birth() != first {
			b.Fatal("it changed")
		}
	}
}

// BenchmarkCgroupRead measures the reading of the control groups alone.
func BenchmarkCgroupRead(b *testing.B) {
	g := newGatherer()
	defer g.close()
	for b.Loop() {
		g.cgroup.read()
	}
}
