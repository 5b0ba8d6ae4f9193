package option

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func example() *Table {
	return &Table{Options: []Option{
		{Name: "memory", Value: Value{Format: Bytes, Min: Limit(1 << 20)}},
		{Name: "wall", Value: Value{Format: Duration, Min: Limit(0.001), Max: Limit(3600)}},
		{Name: "cpus", Value: Value{Title: "processors, as in 1.5", Type: Number, Min: Limit(0)}},
		{Name: "rule", Many: true, About: "what is allowed.", Value: Value{Title: "ro:PATH or rw:PATH or scope", Pattern: `^(?:r[ow]:/.*|scope)$`, Examples: []string{"ro:/usr", "scope"}}},
		{Name: "any", Default: "x"},
	}}
}

func given(text string) (list []spawn.Option) {
	for _, kv := range strings.Fields(text) {
		k, v, _ := strings.Cut(kv, "=")
		list = append(list, spawn.Option{Key: k, Value: v})
	}
	return list
}

func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		"memory=64m wall=1m30s cpus=0.5 rule=ro:/ rule=scope any=": "",
		"memory=1m memory=1m":   "",
		"memory=1023k":          "memory=1023k: want at least 1m",
		"memory=x":              "memory=x: want a size from 1m on, as in 64m or 1g",
		"memory=2m memory=3m":   `memory is given twice, as "2m" and "3m": want one`,
		"wall=0.5ms wall=0.5ms": "wall=0.5ms: want at least 1ms; wall=0.5ms: want at least 1ms",
		"wall=2h":               "wall=2h: want at most 1h0m0s",
		"wall=10":               "wall=10: want a time from 1ms to 1h0m0s, as in 10s or 1m30s",
		"cpus=nan":              "cpus=nan: want processors, as in 1.5",
		"cpus=-1":               "cpus=-1: want processors, as in 1.5",
		"cpus=+Inf":             "cpus=+Inf: want processors, as in 1.5",
		"rule=scop":             `rule=scop: did you mean "scope"?`,
		"rule=scope:/a":         "rule=scope:/a: want ro:PATH or rw:PATH or scope",
		"rule=r:/ nay=1":        `rule=r:/: want ro:PATH or rw:PATH or scope; "nay" is no option: did you mean "any"?`,
	} {
		err := example().Check(given(text))
		got := ""
		if err != nil {
			got = spawn.AsError(err).Msg
		}
		if got != want || err != nil && !errors.Is(err, spawn.ErrBadOption) {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
	if err := (*Table)(nil).Check(given("a=1")); err != nil {
		t.Errorf("no table: %v", err)
	}
	if err := new(Table).Check(given("a=1")); err == nil || !strings.Contains(err.Error(), "there are none") {
		t.Errorf("a table of nothing: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	want := []string{
		"memory=SIZE              a size from 1m on, as in 64m or 1g",
		"wall=TIME                a time from 1ms to 1h0m0s, as in 10s or 1m30s",
		"cpus=N                   processors, as in 1.5",
		"rule=VALUE …             what is allowed: ro:PATH or rw:PATH or scope",
		"any=VALUE                text; default x",
	}
	if d := cmp.Diff(want, example().Describe()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
