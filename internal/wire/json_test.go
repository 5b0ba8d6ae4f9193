//go:build unix

package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// speaking returns the host's end of a lane whose other end answers in JSON: a
// frame of the type and with the payload that answer makes of each request.
func speaking(t *testing.T, answer func(typ uint8, request map[string]any) (uint8, string)) *Planner {
	t.Helper()
	ours, theirs, err := lane.Pair()
	if err != nil {
		t.Fatal(err)
	}
	host, herr := lane.Open(ours, lane.Polled)
	plugin, perr := lane.Open(theirs, lane.Polled)
	if err := errors.Join(herr, perr); err != nil {
		t.Fatal(err)
	}
	p := NewPlanner("json", host)
	over := make(chan struct{})
	go func() { // waited for by the cleanup
		defer close(over)
		var f lane.Frame
		for plugin.Recv(&f) == nil {
			request := map[string]any{}
			if err := json.Unmarshal(f.Payload, &request); err != nil {
				t.Errorf("the host says %q: %v", f.Payload, err)
			}
			typ, payload := answer(f.Type, request)
			plugin.Send(&lane.Frame{Type: typ, ID: f.ID, Payload: []byte(payload)})
		}
	}()
	t.Cleanup(func() {
		p.Close()
		<-over
		plugin.Close()
	})
	p.json.Store(true)
	return p
}

func TestJSONPlan(t *testing.T) {
	mask := uint32(0o27)
	spec := &spawn.Spec{
		Path: "/bin/\xff", Args: []string{"", "a\x80"}, Env: []string{}, Dir: "/tmp", Group: spawn.NewGroup, Umask: &mask,
		Limits: []spawn.Limit{{Resource: 4, Soft: 1, Hard: spawn.Unlimited}}, Options: []spawn.Option{{Key: "k", Value: "v"}},
	}
	var got map[string]any
	p := speaking(t, func(_ uint8, request map[string]any) (uint8, string) {
		got = request
		return lanePlanned, `{"grease": [{"a": 1}], "reusable": true, "steps": [
			{"op": "clone", "args": [{"kind": "ARG_KIND_INT", "num": 0}]},
			{"op": "setpriority", "args": [{"kind": 1, "num": "-5"}], "note": "hm", "x": null},
			{"op": "open", "args": [{"kind": 2, "str": "/2E="}]},
			{"op": "exec", "args": [{"kind": "ARG_KIND_HOLE", "num": 1}, {"kind": 5, "num": 2}, {"kind": 5, "num": 3}]}]}`
	})
	plan, err := p.Plan(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	want := map[string]any{
		"path": b64("/bin/\xff"), "args": []any{"", b64("a\x80")}, "env_set": true, "dir": b64("/tmp"), "group": "-1", "umask_plus_one": "24",
		"limits":  []any{map[string]any{"resource": "4", "soft": "1", "hard": "18446744073709551615"}},
		"options": []any{map[string]any{"key": b64("k"), "value": b64("v")}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the plugin was told (-want +got):\n%s", d)
	}
	steps := []spawn.Step{
		spawn.Clone(0), spawn.Priority(-5).Noted("hm"),
		{Op: "open", Args: []spawn.Arg{spawn.Str("\xffa")}}, spawn.Exec(spawn.HolePath.Arg()),
	}
	if d := cmp.Diff(fmt.Sprint(steps), fmt.Sprint(plan.Steps)); d != "" || !plan.Reusable {
		t.Errorf("the plan is (-want +got), reusable %v:\n%s", plan.Reusable, d)
	}
}

func TestJSONErrors(t *testing.T) {
	for name, c := range map[string]struct {
		typ     uint8
		payload string
		kind    error
		says    string
	}{
		"a refusal":            {laneFailed, `{"kind": "ERROR_KIND_BAD_OPTION", "msg": "bm8=", "new": 1}`, spawn.ErrBadOption, "json: plan: bad option: no"},
		"a kind of the host's": {laneFailed, `{"kind": "ERROR_KIND_CLOSED", "msg": "bm8="}`, nil, "says the plugin: no"},
		"protobuf":             {lanePlanned, "\n\x07\n\x05clone", spawn.ErrProtocol, "no JSON object"},
		"half of it":           {lanePlanned, `{"steps": [`, spawn.ErrProtocol, "cannot be decoded"},
		"another type":         {lanePlanned, `{"steps": "clone"}`, spawn.ErrProtocol, "cannot be decoded"},
		"too much":             {lanePlanned, `{"grease": "` + strings.Repeat("x", maxJSON) + `"}`, spawn.ErrProtocol, "bytes of JSON: at most 1048576"},
		"a deep one":           {lanePlanned, `{"grease": ` + strings.Repeat("[", maxJSON/2) + `}`, spawn.ErrProtocol, "cannot be decoded"},
	} {
		t.Run(name, func(t *testing.T) {
			p := speaking(t, func(uint8, map[string]any) (uint8, string) { return c.typ, c.payload })
			_, err := p.Plan(t.Context(), &spawn.Spec{Path: "/"})
			if c.kind != nil && !errors.Is(err, c.kind) || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v; want %v with %q", err, c.kind, c.says)
			}
			if errors.Is(err, spawn.ErrClosed) {
				t.Errorf("%v: the plugin spoke for the host", err)
			}
		})
	}
}

func TestJSONSpawn(t *testing.T) {
	p := speaking(t, func(typ uint8, request map[string]any) (uint8, string) {
		if typ != laneSignal {
			return laneSpawned, ""
		}
		if request["child"] != "1" || request["signal"] != 15.0 {
			t.Errorf("the plugin was told %v", request)
		}
		return laneSignaled, "{}"
	})
	child, err := p.Spawn(t.Context(), &spawn.Spec{Path: "far"})
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Signal(t.Context(), 15); err != nil {
		t.Error(err)
	}
	p.exited(1, mustJSON(t, laneExited, `{"code": 7, "source": "backend"}`), nil)
	if s := <-child.Exited(); s.Code != 7 || s.Source != spawn.FromBackend {
		t.Errorf("it has ended with %v", s)
	}
}

func mustJSON(t *testing.T, typ uint8, text string) []byte {
	t.Helper()
	b, err := fromJSON(typ, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A hello in protobuf is that of a program which serves early; none begins like
// JSON.
func TestJSONIsTold(t *testing.T) {
	m := Description{Key: "{", APIVersion: APIVersion}.message()
	if m.Key == "" || inJSON([]byte{0x0a, '{'}) || !inJSON([]byte("{}")) || inJSON(nil) {
		t.Error("JSON and protobuf are taken for each other")
	}
}
