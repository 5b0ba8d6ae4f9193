package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/hatchery-spawn/hatchery/host"
)

// Watch has the processes of a host counted that are ready for children to come:
// [MetricParked], and [MetricHandedOver]. The host is asked when the metrics are collected, which
// takes a round trip to its keeper and a look at each of those processes. stop ends it;
// a host that is closed has none.
func (t *Telemetry) Watch(h *host.Host) (stop func() error, err error) {
	parked, err := t.meter.Int64ObservableGauge(MetricParked, metric.WithUnit("{process}"),
		metric.WithDescription("Processes that are ready for children to come."))
	if err != nil {
		return nil, err
	}
	served, err := t.meter.Int64ObservableCounter(MetricHandedOver, metric.WithUnit("{process}"),
		metric.WithDescription("Children that were handed over by a process that was ready."))
	if err != nil {
		return nil, err
	}
	r, err := t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		list, err := h.Templates(ctx)
		if err != nil {
			return nil // it is closed, or does not answer: there is nothing to be said
		}
		type sum struct{ ready, served int64 }
		sums := map[string]sum{}
		for _, tm := range list {
			s := sums[tm.Kind]
			sums[tm.Kind] = sum{s.ready + int64(tm.Ready), s.served + int64(tm.Served)}
		}
		for kind, s := range sums {
			with := metric.WithAttributes(attribute.String(AttrTemplateKind, kind))
			o.ObserveInt64(parked, s.ready, with)
			o.ObserveInt64(served, s.served, with)
		}
		return nil
	}, parked, served)
	if err != nil {
		return nil, err
	}
	return r.Unregister, nil
}
