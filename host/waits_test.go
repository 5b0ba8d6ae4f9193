package host

import (
	"testing"
	"time"
)

func BenchmarkWaits(b *testing.B) {
	t := newWaits()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			t.begin(wait{name: waitSpawn, until: time.Time{}}).end()
		}
	})
}
