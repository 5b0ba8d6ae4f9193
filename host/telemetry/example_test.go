//go:build linux

package telemetry_test

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/trace"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/telemetry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A host is observed from its beginning. The providers are those that the program has set
// by package otel, or of Config.
func Example() {
	t, err := telemetry.New(telemetry.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := host.Open(host.Config{Observer: t})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	fmt.Println(h.Command("true").Run())
	// Output: <nil>
}

// One child is told of the trace that it belongs to, and no other.
func ExampleEnviron() {
	id := trace.TraceID{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}
	ctx := trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: trace.SpanID{1, 2, 3, 4, 5, 6, 7, 8}, TraceFlags: trace.FlagsSampled,
	}))
	spec := spawn.Spec{Path: "worker", Env: append(os.Environ(), telemetry.Environ(ctx, nil)...)}
	fmt.Println(spec.Env[len(spec.Env)-1])
	// Output: TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01
}
