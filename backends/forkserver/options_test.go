package forkserver

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/optionschema"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var write = flag.Bool("write", false, "write the schema of the options anew")

// TestSchema: the file is what the table says, and every option of the table is read.
func TestSchema(t *testing.T) {
	want := optionschema.Text(table())
	if *write {
		if err := os.WriteFile("schema.json", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(want, schema); d != "" {
		t.Errorf("schema.json is not of this table: go test -run TestSchema -write\n%s", d)
	}
}

func TestOptionsThereAndBack(t *testing.T) {
	for _, o := range []Options{
		{Max: 4, Idle: time.Minute},
		{Preload: []string{"json", "re"}, Min: 2, Max: 3, Idle: 5 * time.Second, Memory: 64 << 20, Require: true},
		{Kind: spawn.PoolTemplate, Args: []string{"", "a,b"}, Env: []string{"A", "B*", "C=d=e"}, Max: 4, Idle: time.Minute},
	} {
		got, err := Parse(o.List())
		if d := cmp.Diff(o, got); d != "" || err != nil {
			t.Errorf("%v\n%s", err, d)
		}
	}
	var all []string
	for _, o := range (Options{Kind: Cold, Preload: []string{"x"}, Args: []string{"x"}, Env: []string{"x"}, Min: 1, Max: 1, Idle: 1, Memory: 1, Require: true, Keep: 1}).List() {
		all = append(all, o.Key)
	}
	if d := cmp.Diff(table().Names(), all); d != "" {
		t.Errorf("the table and List name others:\n%s", d)
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"kind=pol min=-1 idle=0s memory=0 require=hot": `kind=pol: did you mean "pool"?; min=-1: want at least 0; ` +
			"idle=0s: want a time above 0, such as 5m; memory=0: want bytes, such as 64m or 1g; require=hot: want one of warm",
		"knd=pool":            `"knd" is no option: did you mean "kind"?`,
		"max=1001 env==x":     "max=1001: want at most 1000; env==x: want NAME, NAME* or NAME=VALUE",
		"preload=a,,b":        "preload=a,,b: want names of modules with a comma between them",
		"max=1 min=2 arg=x":   "max is 1 and min 2: want as many at least; arg needs kind as well: pool or fork",
		"kind=fork preload=a": "preload is for programs that are recognised: leave kind out",
		"idle=99999999999h":   "idle=99999999999h: want a time above 0, such as 5m",
		"memory=9999999999g":  "memory=9999999999g: want bytes, such as 64m or 1g",
		"kind=pool kind=fork": `kind is given twice, as "pool" and "fork": want one`,
		"keep=25h":            "keep=25h: want a time above 0 and up to 24h, such as 5m",
		"keep=5m":             "keep is for hatchery run alone: a host has its templates as long as it is open",
		"memory=64M max=1000": "",
	} {
		var list []spawn.Option
		for _, kv := range strings.Fields(text) {
			k, v, _ := strings.Cut(kv, "=")
			list = append(list, spawn.Option{Key: k, Value: v})
		}
		_, err := Parse(list)
		if got := spawn.AsError(err); err == nil && want != "" || err != nil && (got.Msg != want || got.Key != Key || got.Kind != spawn.ErrBadOption) {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}
