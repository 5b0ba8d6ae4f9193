package telemetry

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/propagation"
)

// Environ returns what a child is told of the trace that ctx is in, as environment
// variables: see [Config.PassContext], without which there are none.
func (t *Telemetry) Environ(ctx context.Context) []string {
	if !t.pass {
		return nil
	}
	return Environ(ctx, t.propagator)
}

// Environ returns what a process is told of the span of ctx, as environment variables in
// alphabetical order: TRACEPARENT=…, and what else the propagator has. Nil means that of
// W3C Trace Context.
//
//	spec.Env = append(os.Environ(), telemetry.Environ(ctx, nil)...)
func Environ(ctx context.Context, p propagation.TextMapPropagator) []string {
	var env []string
	for name, value := range Variables(ctx, p) {
		// As OpenTelemetry has it for environment variables.
		name = strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
				return r
			}
			return '_'
		}, strings.ToUpper(name))
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

// Variables returns the same as a map, by the names that the propagator has for them:
// for an actor, in the Variables of its parent.Spec.
func Variables(ctx context.Context, p propagation.TextMapPropagator) map[string]string {
	if p == nil {
		p = propagation.TraceContext{}
	}
	carrier := propagation.MapCarrier{}
	p.Inject(ctx, carrier)
	return carrier
}
