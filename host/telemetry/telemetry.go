package telemetry

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/hatchery-spawn/hatchery/host"
)

// A Config says where traces and metrics go. The zero value is ready for use.
type Config struct {
	// TracerProvider and MeterProvider are the program's. Nil means the global ones of
	// package otel.
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider

	// PassContext gives the context of its spawn to every child, in its environment.
	PassContext bool

	// Propagator says in which form. Nil means that of W3C Trace Context, without
	// baggage.
	Propagator propagation.TextMapPropagator
}

// A Telemetry is a [host.Observer] that makes spans and metrics. Any number of hosts can
// have it, at the same time. There is nothing to close.
type Telemetry struct {
	pass       bool
	propagator propagation.TextMapPropagator
	tracer     trace.Tracer
	meter      metric.Meter
	metrics    *metrics
}

var _ host.EnvironObserver = (*Telemetry)(nil)

// New returns a Telemetry. The error is that of a meter that refuses an instrument.
func New(cfg Config) (*Telemetry, error) {
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = otel.GetMeterProvider()
	}
	if cfg.Propagator == nil {
		cfg.Propagator = propagation.TraceContext{}
	}
	meter := cfg.MeterProvider.Meter(Scope)
	m, err := newMetrics(meter)
	if err != nil {
		return nil, err
	}
	return &Telemetry{
		pass: cfg.PassContext, propagator: cfg.Propagator,
		tracer: cfg.TracerProvider.Tracer(Scope), meter: meter, metrics: m,
	}, nil
}

// Begin begins a span: see [host.Observer].
func (t *Telemetry) Begin(ctx context.Context, op host.Operation) (context.Context, host.Observation) {
	o := &observation{t: t, op: op}
	options := []trace.SpanStartOption{trace.WithTimestamp(op.Began), trace.WithAttributes(o.attributes()...)}
	if child, ok := op.Child.(*observation); ok && !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, child.span.SpanContext()) // nobody's call: the host is closed, or a nursery canceled
	} else if ok {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: child.span.SpanContext()}))
	}
	ctx, o.span = t.tracer.Start(ctx, spanName(op.Kind), options...)
	if op.Kind == host.OpWait {
		t.metrics.lives(ctx, op, 1)
	}
	return ctx, o
}

// Event counts: see [host.Observer].
func (t *Telemetry) Event(e host.Event) { t.metrics.event(e) }

func spanName(k host.OperationKind) string {
	switch k {
	case host.OpPluginStart:
		return SpanPluginStart
	case host.OpPlan:
		return SpanPlan
	case host.OpSpawn:
		return SpanSpawn
	case host.OpWait:
		return SpanWait
	case host.OpStop:
		return SpanStop
	}
	return "hatchery." + string(k) // of a later version of the host
}
