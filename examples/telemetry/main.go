// Command telemetry runs a program by Hatchery, passes its trace on to it, and writes the
// spans and the metrics of what has happened to standard error, as JSON.
//
//	telemetry sh -c 'echo $TRACEPARENT'
//
// A program of your own has other exporters, and sets its providers up where the rest of
// it does. What is Hatchery's are the three lines that make the observer and give it
// to the host.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/telemetry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func main() {
	host.Init(backends.Builtin()...)
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code, which is the child's.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, "telemetry: no program given: want telemetry PROG [ARG...]")
		return 2
	}
	code, err := traced(ctx, args, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "telemetry:", err)
		return 125
	}
	return code
}

// traced runs the program below a span of its own.
func traced(ctx context.Context, args []string, stdout, stderr io.Writer) (code int, err error) {
	spans, err := stdouttrace.New(stdouttrace.WithWriter(stderr))
	if err != nil {
		return 0, err
	}
	numbers, err := stdoutmetric.New(stdoutmetric.WithWriter(stderr))
	if err != nil {
		return 0, err
	}
	tracers := trace.NewTracerProvider(trace.WithBatcher(spans))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(numbers)))
	defer func() { err = errors.Join(err, tracers.Shutdown(ctx), meters.Shutdown(ctx)) }()

	t, err := telemetry.New(telemetry.Config{TracerProvider: tracers, MeterProvider: meters, PassContext: true})
	if err != nil {
		return 0, err
	}
	h, err := host.Open(host.Config{Observer: t})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.Close()) }() // before the providers: it is told of as well

	ctx, span := tracers.Tracer("example").Start(ctx, "the whole")
	defer span.End()
	cmd := h.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, os.Stderr
	err = cmd.Run()
	var exit *spawn.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
