package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/telemetry"
)

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"sh", "-c", "echo $TRACEPARENT; exit 3"}, &stdout, &stderr); code != 3 {
		t.Errorf("code %d", code)
	}
	type span struct {
		Name        string
		SpanContext struct{ TraceID, SpanID string }
	}
	spans := map[string]span{}
	for d := json.NewDecoder(strings.NewReader(stderr.String())); d.More(); {
		var s span
		if err := d.Decode(&s); err != nil {
			t.Fatal(err)
		}
		spans[s.Name] = s // the metrics have no name there
	}
	for _, name := range []string{"the whole", telemetry.SpanSpawn, telemetry.SpanPlan, telemetry.SpanPluginStart, telemetry.SpanWait} {
		if spans[name].SpanContext.TraceID != spans["the whole"].SpanContext.TraceID {
			t.Errorf("no span %q in the trace", name)
		}
	}
	own := spans[telemetry.SpanSpawn].SpanContext
	if want := "00-" + own.TraceID + "-" + own.SpanID + "-01\n"; stdout.String() != want {
		t.Errorf("the child was told %q, want %q", stdout.String(), want)
	}
	for _, name := range []string{telemetry.MetricSpawns, telemetry.MetricExits, telemetry.MetricSpawnDuration} {
		if !strings.Contains(stderr.String(), `"Name":"`+name+`"`) {
			t.Errorf("no metric %s", name)
		}
	}
}

func TestNothingGiven(t *testing.T) {
	var stderr strings.Builder
	if code := run(t.Context(), nil, &stderr, &stderr); code != 2 || !slices.Contains(strings.Fields(stderr.String()), "want") {
		t.Errorf("code %d, %s", code, stderr.String())
	}
}
