package telemetry

// Scope is the name of the tracer and of the meter.
const Scope = "github.com/hatchery-spawn/hatchery/host/telemetry"

// The names of the spans.
const (
	SpanPluginStart = "hatchery.plugin.start"
	SpanPlan        = "hatchery.plan"
	SpanSpawn       = "hatchery.spawn"
	SpanWait        = "hatchery.wait"
	SpanStop        = "hatchery.stop"
)

// The names of the metrics.
const (
	MetricSpawns              = "hatchery.spawns"
	MetricSpawnDuration       = "hatchery.spawn.duration"
	MetricPlanDuration        = "hatchery.plan.duration"
	MetricPluginStartDuration = "hatchery.plugin.start.duration"
	MetricPluginRestarts      = "hatchery.plugin.restarts"
	MetricChildren            = "hatchery.children"
	MetricParked              = "hatchery.children.parked"
	MetricHandedOver          = "hatchery.children.handed_over"
	MetricExits               = "hatchery.exits"
	MetricKeepersKilled       = "hatchery.keepers.killed"
	MetricLogRecordsDropped   = "hatchery.plugin.log.records.dropped"
)

// The names of attributes that OpenTelemetry's semantic conventions have.
const (
	AttrPid            = "process.pid"
	AttrExecutableName = "process.executable.name"
	AttrExecutablePath = "process.executable.path"
	AttrExitCode       = "process.exit.code"
	AttrErrorType      = "error.type"
)

// The names of the other attributes.
const (
	AttrMethod       = "hatchery.method"
	AttrOutcome      = "hatchery.outcome"
	AttrStart        = "hatchery.start"
	AttrDetached     = "hatchery.detached"
	AttrPluginPath   = "hatchery.plugin.path"
	AttrRestart      = "hatchery.plugin.restart"
	AttrErrorKind    = "hatchery.error.kind"
	AttrErrorPhase   = "hatchery.error.phase"
	AttrErrorOp      = "hatchery.error.op"
	AttrExitKind     = "hatchery.exit.kind"
	AttrExitSignal   = "hatchery.exit.signal"
	AttrExitSource   = "hatchery.exit.source"
	AttrTemplateKind = "hatchery.template.kind"
	AttrForced       = "hatchery.forced"
)
