package telemetry

import (
	"context"
	"errors"
	"path/filepath"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An observation is an operation that is under way.
type observation struct {
	t    *Telemetry
	op   host.Operation
	span trace.Span
}

// attributes are those that are known at the beginning.
func (o *observation) attributes() []attribute.KeyValue {
	op := &o.op
	list := []attribute.KeyValue{attribute.String(AttrMethod, string(op.Method))}
	switch {
	case op.Path == "":
	case op.Kind == host.OpPluginStart:
		list = append(list, attribute.String(AttrPluginPath, op.Path))
	default:
		list = append(list, attribute.String(AttrExecutableName, filepath.Base(op.Path)), attribute.String(AttrExecutablePath, op.Path))
	}
	if op.Pid != 0 {
		list = append(list, attribute.Int(AttrPid, op.Pid))
	}
	if op.Detached {
		list = append(list, attribute.Bool(AttrDetached, true))
	}
	if op.Restart {
		list = append(list, attribute.Bool(AttrRestart, true))
	}
	return list
}

// End ends the span, and counts: see [host.Observation].
func (o *observation) End(out host.Outcome) {
	switch o.op.Kind {
	case host.OpSpawn, host.OpPluginStart:
		if out.Pid != 0 {
			o.span.SetAttributes(attribute.Int(AttrPid, out.Pid))
		}
		if o.op.Kind == host.OpSpawn && out.Err == nil {
			o.span.SetAttributes(attribute.String(AttrStart, startOf(out)))
		}
	case host.OpWait, host.OpStop:
		o.span.SetAttributes(exitAttributes(out)...)
	}
	if out.Err != nil {
		o.failed(out)
	}
	o.span.End(trace.WithTimestamp(out.Ended))
	o.t.metrics.ended(trace.ContextWithSpan(context.Background(), o.span), o, out)
}

// failed records an error.
func (o *observation) failed(out host.Outcome) {
	o.span.RecordError(out.Err, trace.WithTimestamp(out.Ended))
	o.span.SetStatus(codes.Error, out.Err.Error())
	o.span.SetAttributes(attribute.String(AttrErrorType, errorType(out.Err)))
	var e *spawn.Error
	if !errors.As(out.Err, &e) {
		return
	}
	if e.Kind != nil {
		o.span.SetAttributes(attribute.String(AttrErrorKind, e.Kind.Error()))
	}
	if e.Phase != "" {
		o.span.SetAttributes(attribute.String(AttrErrorPhase, string(e.Phase)))
	}
	if e.Op != "" {
		o.span.SetAttributes(attribute.String(AttrErrorOp, e.Op))
	}
}

func startOf(out host.Outcome) string {
	if out.Warm {
		return "warm"
	}
	return "cold"
}

// exitAttributes say how a child has ended, if it has.
func exitAttributes(out host.Outcome) []attribute.KeyValue {
	var list []attribute.KeyValue
	if out.Status.Source != "" {
		list = append(list, attribute.String(AttrExitKind, exitKind(out.Status)), attribute.String(AttrExitSource, string(out.Status.Source)))
	}
	switch s := out.Status; {
	case s.Source == "" || s.Source == spawn.Lost:
	case s.Signal != 0:
		list = append(list, attribute.Int(AttrExitSignal, int(s.Signal)))
	default:
		list = append(list, attribute.Int(AttrExitCode, s.Code))
	}
	if out.Forced {
		list = append(list, attribute.Bool(AttrForced, true))
	}
	return list
}

func exitKind(s spawn.ExitStatus) string {
	switch {
	case s.Source == spawn.Lost:
		return "lost"
	case s.Signal != 0:
		return "signal"
	case s.Code != 0:
		return "code"
	}
	return "success"
}

// errorType is what kind of an error it is, in one of few words: the kind, or else the
// system's, or else the phase.
func errorType(err error) string {
	var e *spawn.Error
	switch {
	case !errors.As(err, &e):
		return "_OTHER" // as the conventions have it
	case e.Kind != nil:
		return e.Kind.Error()
	case e.Errno != 0:
		return e.Errno.Error()
	}
	return "_OTHER"
}
