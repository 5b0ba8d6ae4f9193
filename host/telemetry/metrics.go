package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/hatchery-spawn/hatchery/host"
)

// metrics are the instruments.
type metrics struct {
	spawns, exits, restarts, keepers, dropped metric.Int64Counter
	children                                  metric.Int64UpDownCounter
	spawn, plan, start                        metric.Float64Histogram
}

func newMetrics(m metric.Meter) (*metrics, error) {
	var errs []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		return c
	}
	seconds := func(name, description string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(
			.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
		errs = append(errs, err)
		return h
	}
	children, err := m.Int64UpDownCounter(MetricChildren, metric.WithUnit("{process}"), metric.WithDescription("Children that are alive."))
	errs = append(errs, err)
	out := &metrics{
		spawns:   counter(MetricSpawns, "{spawn}", "Starts of children that were tried."),
		exits:    counter(MetricExits, "{process}", "Children that have ended."),
		restarts: counter(MetricPluginRestarts, "{restart}", "Starts of plugins that had failed."),
		keepers:  counter(MetricKeepersKilled, "{process}", "Keepers that were killed, with all their children."),
		dropped:  counter(MetricLogRecordsDropped, "{record}", "Log records of plugins that were dropped."),
		children: children,
		spawn:    seconds(MetricSpawnDuration, "From the start of a child to its exec, or to the failure."),
		plan:     seconds(MetricPlanDuration, "What plans that had to be asked for have taken."),
		start:    seconds(MetricPluginStartDuration, "From the start of a plugin to its first answer, or to the failure."),
	}
	return out, errors.Join(errs...)
}

// lives counts the living children.
func (m *metrics) lives(ctx context.Context, op host.Operation, n int64) {
	m.children.Add(ctx, n, metric.WithAttributes(method(op)))
}

func method(op host.Operation) attribute.KeyValue {
	return attribute.String(AttrMethod, string(op.Method))
}

// ended counts an operation that has ended.
func (m *metrics) ended(ctx context.Context, o *observation, out host.Outcome) {
	attrs := []attribute.KeyValue{method(o.op), attribute.String(AttrOutcome, "success")}
	if out.Err != nil {
		attrs = append(attrs[:1], attribute.String(AttrOutcome, "failure"), attribute.String(AttrErrorType, errorType(out.Err)))
	}
	with := metric.WithAttributeSet(attribute.NewSet(attrs...))
	took := max(0, out.Ended.Sub(o.op.Began).Seconds())
	switch o.op.Kind {
	case host.OpSpawn:
		m.spawns.Add(ctx, 1, with)
		m.spawn.Record(ctx, took, with)
	case host.OpPlan:
		m.plan.Record(ctx, took, with)
	case host.OpPluginStart:
		m.start.Record(ctx, took, with)
		if o.op.Restart {
			m.restarts.Add(ctx, 1, with)
		}
	case host.OpWait:
		m.lives(ctx, o.op, -1)
		m.exits.Add(ctx, 1, metric.WithAttributes(method(o.op), attribute.String(AttrExitKind, exitKind(out.Status))))
	}
}

// event counts what is told as an event.
func (m *metrics) event(e host.Event) {
	ctx := context.Background() // of nobody's call
	switch e := e.(type) {
	case host.LogDropped:
		m.dropped.Add(ctx, int64(e.Records), metric.WithAttributes(attribute.String(AttrMethod, string(e.Key))))
	case host.KeeperKilled:
		m.keepers.Add(ctx, 1)
	}
}
