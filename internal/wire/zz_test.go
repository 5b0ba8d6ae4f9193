//go:build unix

package wire_test

import (
	"context"
	"os"
	"testing"
	"time"
	"slices"

	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/wiretest"
)

func TestZZ(t *testing.T) {
	path := os.Getenv("ZZ")
	if path == "" { t.Skip() }
	l := wiretest.New(t, path, path)
	dir := wiretest.SocketDir(t)
	var total, stop []time.Duration
	for range 100 {
		t0 := time.Now()
		c, err := wire.Dial(t.Context(), wire.ClientConfig{Key: testKey, Start: l.Start, SocketDir: dir})
		if err != nil { t.Fatal(err) }
		total = append(total, time.Since(t0))
		t0 = time.Now()
		c.Close(context.Background(), time.Second)
		stop = append(stop, time.Since(t0))
		l.Last().Release()
	}
	slices.Sort(total); slices.Sort(stop)
	t.Logf("dial p50 %v p90 %v; stop p50 %v p90 %v", total[50], total[90], stop[50], stop[90])
}
