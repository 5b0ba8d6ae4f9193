package keep

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestCut(t *testing.T) {
	other := spawn.Option{Key: "preload", Value: "json"}
	for value, want := range map[string]time.Duration{"5m": 5 * time.Minute, "24h": Longest, "1ns": 1, "0": 0, "-1s": 0, "24h1ns": 0, "5": 0, "": 0, "x": 0} {
		got, rest, err := Cut([]spawn.Option{other, {Key: Option, Value: value}})
		if got != want || (err == nil) != (want > 0) || err == nil && len(rest) != 1 {
			t.Errorf("%q: %v, %v, %v; want %v", value, got, rest, err, want)
		}
	}
	got, rest, err := Cut([]spawn.Option{other})
	if got != 0 || err != nil || !cmp.Equal(rest, []spawn.Option{other}) {
		t.Errorf("without it: %v, %v, %v", got, rest, err)
	}
}

func TestReady(t *testing.T) {
	option := func(key, value string) spawn.Option { return spawn.Option{Key: key, Value: value} }
	warm := option("require", "warm")
	for _, tt := range []struct{ given, want []spawn.Option }{
		{nil, []spawn.Option{option("idle", "24h0m0s"), option("min", "1"), warm}},
		{[]spawn.Option{option("min", "3")}, []spawn.Option{option("min", "3"), option("idle", "24h0m0s"), warm}},
		{[]spawn.Option{option("idle", "1m")}, []spawn.Option{option("idle", "1m"), warm}},
		{[]spawn.Option{warm, option("idle", "1m")}, []spawn.Option{warm, option("idle", "1m")}},
	} {
		if d := cmp.Diff(tt.want, ready(tt.given)); d != "" {
			t.Errorf("%v:\n%s", tt.given, d)
		}
	}
}
