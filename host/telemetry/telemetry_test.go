//go:build linux

package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/telemetry"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	if os.Args[0] == "telemetry-child" {
		actor.Park()
		os.Exit(0)
	}
	host.Init(append(backends.Builtin(), sdk.Entry(frail{}))...)
	os.Exit(leakcheck.Main(m))
}

// frail plans nothing before it has been started for the second time, and logs much.
type frail struct{ sdk.Unimplemented }

func (frail) Describe() sdk.Description { return sdk.Description{Key: "frail", Summary: "dies once"} }

func (frail) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	once, _ := s.Option("once")
	if f, err := os.OpenFile(once, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
		os.Exit(7)
	}
	fmt.Fprint(os.Stderr, strings.Repeat("a line\n", 50))
	return spawn.Standard(s), nil
}

// A watched host has a telemetry, and what that has made.
type watched struct {
	*host.Host
	ctx    context.Context // within the span "test"
	root   trace.Span
	tel    *telemetry.Telemetry
	spans  *tracetest.InMemoryExporter
	reader *metric.ManualReader
}

func watch(t *testing.T, cfg telemetry.Config, hostCfg host.Config) *watched {
	t.Helper()
	w := &watched{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(w.spans))
	cfg.TracerProvider, cfg.MeterProvider = tracers, metric.NewMeterProvider(metric.WithReader(w.reader))
	tel, err := telemetry.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.tel, hostCfg.Observer = tel, tel
	w.Host, err = host.Open(hostCfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	w.ctx, w.root = tracers.Tracer("test").Start(t.Context(), "test")
	return w
}

// one returns the only span of a name, after Close.
func (w *watched) one(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	if all := w.named(name); len(all) == 1 {
		return all[0]
	}
	t.Fatalf("%d spans are called %s: %v", len(w.named(name)), name, w.names())
	return tracetest.SpanStub{}
}

func (w *watched) named(name string) (list []tracetest.SpanStub) {
	for _, s := range w.spans.GetSpans() {
		if s.Name == name {
			list = append(list, s)
		}
	}
	return list
}

func (w *watched) names() (list []string) {
	for _, s := range w.spans.GetSpans() {
		list = append(list, s.Name)
	}
	return list
}

// is holds the attributes of a span but for those that differ from run to run.
func is(t *testing.T, s tracetest.SpanStub, parent trace.SpanContext, want map[string]string) {
	t.Helper()
	if s.Parent.SpanID() != parent.SpanID() || s.SpanContext.TraceID() != parent.TraceID() {
		t.Errorf("%s is not below its parent", s.Name)
	}
	if s.EndTime.Before(s.StartTime) {
		t.Errorf("%s ends before it begins: %v, %v", s.Name, s.StartTime, s.EndTime)
	}
	got := map[string]string{}
	for _, a := range s.Attributes {
		got[string(a.Key)] = a.Value.Emit()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", s.Name, diff)
	}
}

func TestSpansOfAChild(t *testing.T) {
	w := watch(t, telemetry.Config{}, host.Config{})
	p, err := w.Start(w.ctx, spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "exit 7"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	pid, path := fmt.Sprint(p.Pid()), ""
	for _, a := range w.one(t, telemetry.SpanWait).Attributes {
		if a.Key == telemetry.AttrExecutablePath {
			path = a.Value.AsString()
		}
	}
	if !strings.HasSuffix(path, "/sh") {
		t.Errorf("the path is %q", path)
	}
	spawned, plan, start := w.one(t, telemetry.SpanSpawn), w.one(t, telemetry.SpanPlan), w.one(t, telemetry.SpanPluginStart)
	is(t, spawned, w.root.SpanContext(), map[string]string{
		"hatchery.method": "forkexec", "process.executable.name": "sh", "process.executable.path": "sh", "process.pid": pid, "hatchery.start": "cold"})
	is(t, plan, spawned.SpanContext, map[string]string{"hatchery.method": "forkexec", "process.executable.name": "sh", "process.executable.path": "sh"})
	for _, a := range start.Attributes {
		if a.Key == telemetry.AttrPid && a.Value.AsInt64() == int64(p.Pid()) {
			t.Error("the plugin has the child's pid")
		}
	}
	if start.Parent.SpanID() != plan.SpanContext.SpanID() {
		t.Error("the start of the plugin is not below the plan that needed it")
	}
	is(t, w.one(t, telemetry.SpanWait), spawned.SpanContext, map[string]string{
		"hatchery.method": "forkexec", "process.executable.name": "sh", "process.executable.path": path, "process.pid": pid,
		"hatchery.exit.kind": "code", "process.exit.code": "7", "hatchery.exit.source": "kernel"})
	got := w.metrics(t)
	want := map[string]int64{
		"hatchery.spawns{hatchery.method=forkexec,hatchery.outcome=success} {spawn}":          1,
		"hatchery.spawn.duration{hatchery.method=forkexec,hatchery.outcome=success} s":        1,
		"hatchery.plan.duration{hatchery.method=forkexec,hatchery.outcome=success} s":         1,
		"hatchery.plugin.start.duration{hatchery.method=forkexec,hatchery.outcome=success} s": 1,
		"hatchery.children{hatchery.method=forkexec} {process}":                               0,
		"hatchery.exits{hatchery.exit.kind=code,hatchery.method=forkexec} {process}":          1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// metrics returns the counters, and of histograms the counts, by name, attributes and unit.
func (w *watched) metrics(t *testing.T) map[string]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := w.reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			key := func(set attribute.Set) string {
				return m.Name + "{" + set.Encoded(attribute.DefaultEncoder()) + "} " + m.Unit
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					out[key(p.Attributes)] = p.Value
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					out[key(p.Attributes)] = p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					out[key(p.Attributes)] = int64(p.Count)
				}
			}
		}
	}
	return out
}

func TestSpansOfFailures(t *testing.T) {
	w := watch(t, telemetry.Config{}, host.Config{})
	_, err := w.Start(w.ctx, spawn.Spec{Path: "/no/such"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	_, err = w.StartAll(w.ctx, []spawn.Spec{{Path: "true"}, {Path: "true", Options: []spawn.Option{{Key: "no", Value: "1"}}}})
	if !errors.Is(err, spawn.ErrBadOption) {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all := w.named(telemetry.SpanSpawn)
	if len(all) != 3 {
		t.Fatalf("%d spans: %v", len(all), w.names())
	}
	is(t, all[0], w.root.SpanContext(), map[string]string{
		"hatchery.method": "forkexec", "process.executable.name": "such", "process.executable.path": "/no/such",
		"error.type": "no such file or directory", "hatchery.error.phase": "exec", "hatchery.error.op": "exec"})
	if all[0].Status.Code != codes.Error || len(all[0].Events) != 1 || all[0].Events[0].Name != "exception" {
		t.Errorf("%+v, events %+v", all[0].Status, all[0].Events)
	}
	if all[1].Status.Code != codes.Unset || all[2].Status.Code != codes.Error {
		t.Errorf("%+v, %+v: want none and an error", all[1].Status, all[2].Status)
	}
	if got := w.metrics(t)["hatchery.spawns{error.type=bad option,hatchery.method=forkexec,hatchery.outcome=failure} {spawn}"]; got != 1 {
		t.Errorf("%d such failures: %v", got, w.metrics(t))
	}
}

// A stop without a caller of its own belongs to the child; one with a caller is linked to it.
func TestSpansOfStops(t *testing.T) {
	w := watch(t, telemetry.Config{}, host.Config{})
	spec := spawn.Spec{Path: "sleep", Args: []string{"sleep", "600"}}
	a, err := w.Start(w.ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Stop(w.ctx); err != nil {
		t.Fatal(err)
	}
	b, err := w.Start(w.ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	waits, stops := w.named(telemetry.SpanWait), w.named(telemetry.SpanStop)
	if len(waits) != 2 || len(stops) != 2 {
		t.Fatal(w.names())
	}
	byPid := func(list []tracetest.SpanStub, pid int) tracetest.SpanStub {
		for _, s := range list {
			for _, attr := range s.Attributes {
				if attr.Key == telemetry.AttrPid && attr.Value.AsInt64() == int64(pid) {
					return s
				}
			}
		}
		t.Fatalf("none of process %d", pid)
		return tracetest.SpanStub{}
	}
	ended := map[string]string{"hatchery.method": "forkexec", "hatchery.exit.kind": "signal", "hatchery.exit.signal": "15", "hatchery.exit.source": "kernel"}
	ended["process.pid"] = fmt.Sprint(a.Pid())
	is(t, byPid(stops, a.Pid()), w.root.SpanContext(), ended)
	if links := byPid(stops, a.Pid()).Links; len(links) != 1 || links[0].SpanContext.SpanID() != byPid(waits, a.Pid()).SpanContext.SpanID() {
		t.Errorf("links %+v", links)
	}
	ended["process.pid"] = fmt.Sprint(b.Pid())
	is(t, byPid(stops, b.Pid()), byPid(waits, b.Pid()).SpanContext, ended)
	if got := w.metrics(t); got["hatchery.exits{hatchery.exit.kind=signal,hatchery.method=forkexec} {process}"] != 2 {
		t.Errorf("%v", got)
	}
}

func TestRestartsAndDroppedRecords(t *testing.T) {
	w := watch(t, telemetry.Config{}, host.Config{Logger: slog.New(slog.DiscardHandler), LogLimit: host.LogLimit{Rate: 1, Burst: 1}})
	once := t.TempDir() + "/once"
	spec := spawn.Spec{Path: "true", Options: []spawn.Option{{Key: "once", Value: once}}}
	for _, err := os.Stat(once); err != nil; _, err = os.Stat(once) { // the first that is asked dies
		w.StartMethod(w.ctx, "frail", spec)
	}
	if _, err := w.StartMethod(w.ctx, "frail", spec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := w.metrics(t)
	if got["hatchery.plugin.restarts{hatchery.method=frail,hatchery.outcome=success} {restart}"] != 1 {
		t.Errorf("no restart: %v", got)
	}
	health, err := w.Health("frail")
	if dropped := got["hatchery.plugin.log.records.dropped{hatchery.method=frail} {record}"]; err != nil || dropped == 0 || uint64(dropped) != health.Dropped {
		t.Errorf("%d records were dropped, want %d: %v", dropped, health.Dropped, err)
	}
}

// What is ready for children to come is counted when somebody asks.
func TestWatch(t *testing.T) {
	w := watch(t, telemetry.Config{}, host.Config{})
	stop, err := w.tel.Watch(w.Host)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec := spawn.Spec{Path: self, Args: []string{"telemetry-child"}}
	spec.Options = forkserver.Options{Kind: spawn.PoolTemplate, Min: 1}.List()
	if err := w.Warm(w.ctx, forkserver.Key, spec, 1); err != nil {
		t.Fatal(err)
	}
	const parked, served = "hatchery.children.parked{hatchery.template.kind=pool} {process}", "hatchery.children.handed_over{hatchery.template.kind=pool} {process}"
	if got := w.metrics(t); got[parked] < 1 || got[served] != 0 {
		t.Errorf("%v", got)
	}
	p, err := w.StartMethod(w.ctx, forkserver.Key, spec)
	if err != nil || !p.Warm() {
		t.Fatalf("%v, warm %v", err, p.Warm())
	}
	p.Wait()
	if got := w.metrics(t); got[served] != 1 {
		t.Errorf("%v", got)
	}
	w.Close()
	if _, there := w.metrics(t)[parked]; there {
		t.Error("a closed host has some")
	}
	if s := w.named(telemetry.SpanSpawn); len(s) != 1 || !slices.Contains(s[0].Attributes, attribute.String(telemetry.AttrStart, "warm")) {
		t.Errorf("%+v", s)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTheTraceIsPassedOnWhenAsked(t *testing.T) {
	t.Setenv("TRACEPARENT", "the host's own")
	b, err := baggage.Parse("who=me")
	if err != nil {
		t.Fatal(err)
	}
	both := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	const script = `echo "$TRACEPARENT|$BAGGAGE|$OTHER"`
	for _, c := range []struct {
		name string
		cfg  telemetry.Config
		env  []string
		want string // %s is the context of the spawn
	}{
		{"not asked", telemetry.Config{}, nil, "the host's own||"},
		{"asked", telemetry.Config{PassContext: true}, nil, "%s||"},
		{"with baggage", telemetry.Config{PassContext: true, Propagator: both}, nil, "%s|who=me|"},
		{"an environment", telemetry.Config{PassContext: true}, []string{"OTHER=o"}, "%s||o"},
		{"one that has it", telemetry.Config{PassContext: true}, []string{"TRACEPARENT=mine"}, "mine||"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := watch(t, c.cfg, host.Config{})
			cmd := w.CommandContext(baggage.ContextWithBaggage(w.ctx, b), "/bin/sh", "-c", script)
			cmd.Env = c.env
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			w.Close()
			s := w.one(t, telemetry.SpanSpawn).SpanContext
			want := strings.Replace(c.want, "%s", fmt.Sprintf("00-%s-%s-01", s.TraceID(), s.SpanID()), 1)
			if got := strings.TrimSpace(string(out)); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestEnvironAndVariables(t *testing.T) {
	id, _ := trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")
	span, _ := trace.SpanIDFromHex("b7ad6b7169203331")
	state, _ := trace.ParseTraceState("a=b")
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: 1, TraceState: state}))
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if diff := cmp.Diff([]string{"TRACEPARENT=" + parent, "TRACESTATE=a=b"}, telemetry.Environ(ctx, nil)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"traceparent": parent, "tracestate": "a=b"}, telemetry.Variables(ctx, nil)); diff != "" {
		t.Error(diff)
	}
	if got := telemetry.Environ(t.Context(), nil); got != nil {
		t.Errorf("of no span: %q", got)
	}
}
