// Package telemetry makes OpenTelemetry's traces and metrics of what a host does.
//
//	t, err := telemetry.New(telemetry.Config{})
//	…
//	h, err := host.Open(host.Config{Observer: t})
//
// Without more it uses the providers that the program has set by otel.SetTracerProvider
// and otel.SetMeterProvider; those of [Config] win. It links OpenTelemetry's API
// alone, the SDK and the exporters are the program's choice.
//
// A start of a child is a span, "hatchery.spawn", below the span of the context that
// Start was given; the plan and the start of a plugin, if there is any, are below it, and so is
// the child's life, "hatchery.wait". The names of all spans, metrics and attributes
// are constants of this package, and docs/observability.md explains each.
//
// # The child's own spans
//
// A child that is traced itself goes on with the trace if it is told: with
// [Config.PassContext] every child is, by the environment variables TRACEPARENT,
// TRACESTATE and whatever else the propagator has; [Environ] is for one child alone, and
// [Variables] for an actor. Nobody is told without being asked for: what a child gets in its
// environment is the caller's to say.
//
// # What it is not
//
// No exporter, and no logger: what plugins log goes to host.Config.Logger. A program that
// does not import it links nothing of OpenTelemetry, and a host without an
// observer does nothing for it.
package telemetry
