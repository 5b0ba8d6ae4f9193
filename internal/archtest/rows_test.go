package archtest

// A row says what one package, or a family of them, may import besides the
// standard library. Tests may import what they like.
type row struct {
	// packages is a path inside the module; "/..." at the end takes in
	// everything below.
	packages string
	// module has the packages of this module.
	module []string
	// others has packages of other modules.
	others []string
	// light packages start in a millisecond: see light_test.go.
	light bool
	// first packages are initialised before any other: they import nothing,
	// the standard library included (unsafe is no import).
	first bool
}

const (
	sysUnix   = "golang.org/x/sys/unix"
	grpc      = "google.golang.org/grpc/..."
	protobuf  = "google.golang.org/protobuf/..."
	goPlugin  = "github.com/hashicorp/go-plugin/..."
	hclog     = "github.com/hashicorp/go-hclog/..."
	multiaddr = "github.com/multiformats/go-multiaddr/..."
)

// public is what a program that embeds Hatchery, the command included, is made
// of.
func public() []string {
	return []string{"actor/...", "backends/...", "host/...", "registry", "sdk/...", "spawn"}
}

// rows is the allow list. The first row that fits a package is its row; what
// has none is an error: new packages are thought about.
func rows() []row {
	return []row{
		// The leaf that everything speaks.
		{packages: "spawn", light: true},
		{packages: "internal/nearest", light: true},
		{packages: "internal/bytesize", light: true},
		{packages: "internal/option", module: []string{"internal/bytesize", "internal/nearest", "spawn"}, light: true},
		{packages: "internal/optionschema", module: []string{"internal/option"}},
		{packages: "registry", module: []string{"internal/nearest", "spawn"}},

		// System calls, descriptors and the launching of children.
		{packages: "internal/linux/startlimit", first: true},
		{packages: "internal/linux/...", module: []string{"internal/linux/..."}, others: []string{sysUnix}, light: true},
		{packages: "internal/failpoint", light: true},
		{packages: "internal/lane", module: []string{"internal/linux/..."}, light: true},
		{packages: "internal/launch", module: []string{"internal/linux/...", "internal/pid1", "spawn"}, others: []string{sysUnix}, light: true},
		{packages: "internal/keeper", module: []string{"internal/failpoint", "internal/lane", "internal/launch", "internal/linux/...", "internal/pid1", "internal/zygote", "spawn"}, light: true},
		{packages: "internal/zygote", light: true},

		{packages: "internal/early", module: []string{"internal/failpoint", "internal/lane", "internal/linux/...", "spawn"}, light: true},

		// The only importer of go-plugin, grpc, protobuf and hclog, but for
		// the portal below.
		{packages: "internal/wire/spawnv1", others: []string{grpc, protobuf}},
		{packages: "internal/wire", module: []string{"internal/failpoint", "internal/lane", "internal/linux/...", "internal/wire/spawnv1", "spawn"},
			others: []string{goPlugin, hclog, grpc, protobuf, "google.golang.org/genproto/googleapis/rpc/status"}},

		{packages: "internal/restart"},
		{packages: "internal/tail"},
		{packages: "internal/pluginlog"},
		{packages: "internal/tinyelf"},
		{packages: "internal/pid1", module: []string{"internal/tinyelf"}, light: true},
		// What isolate asks of the kernel, as data.
		{packages: "internal/capability", light: true},
		{packages: "internal/cgroup", light: true},
		{packages: "internal/landlock", module: []string{"spawn"}, light: true},
		// It reads JSON, which the filters themselves do without.
		{packages: "internal/seccomp/oci", module: []string{"internal/capability", "internal/seccomp", "spawn"}},
		{packages: "internal/seccomp", module: []string{"spawn"}, light: true},
		{packages: "internal/probe", module: []string{"internal/launch", "internal/linux/...", "internal/tinyelf", "spawn"}},

		// The analyses, for hatchery explain.
		{packages: "docs"},

		// The scenarios of hatchery smoketest.
		{packages: "internal/smoketest", module: []string{"internal/keeper", "internal/lane", "internal/launch", "internal/linux", "internal/tinyelf", "spawn"}},

		// For tests only.
		{packages: "internal/archtest"},
		{packages: "internal/helperproc"},
		{packages: "internal/leakcheck"},
		{packages: "internal/escapesuite"},
		{packages: "internal/faultsuite"},
		{packages: "internal/faultplugin/...", module: []string{"internal/faultplugin", "internal/lane", "internal/wire/...", "registry", "sdk", "spawn"}},
		{packages: "internal/wire/wiretest", module: []string{"internal/lane", "internal/wire"}},

		{packages: "internal/proctree", module: []string{"internal/linux/..."}},
		{packages: "internal/runfolder", module: []string{"internal/linux/..."}},
		{packages: "internal/detached", module: []string{"internal/keeper", "internal/linux/...", "internal/runfolder", "spawn"}},
		{packages: "internal/hunt", module: []string{"internal/keeper", "internal/linux/..."}},
		{packages: "host/inspect", module: []string{"internal/detached", "internal/hunt", "internal/keeper", "internal/linux/...", "internal/proctree", "internal/runfolder", "spawn"}},
		{packages: "host/pins", module: []string{"registry", "spawn"}},
		{packages: "host/share"},
		// The only importer of OpenTelemetry, and of its API alone.
		{packages: "host/telemetry", module: []string{"host", "spawn"}, others: []string{
			"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/codes",
			"go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/propagation", "go.opentelemetry.io/otel/trace",
		}},
		{packages: "host", module: []string{"host/pins", "host/share", "internal/detached", "internal/failpoint", "internal/hunt", "internal/keeper", "internal/lane", "internal/linux/...", "internal/option", "internal/optionschema", "internal/pluginlog", "internal/proctree", "internal/restart", "internal/runfolder", "internal/tail",
			"internal/wire", "registry", "spawn"}},

		{packages: "sdk/backendtest", module: []string{"host", "registry", "sdk", "spawn"}},
		{packages: "sdk", module: []string{"internal/failpoint", "internal/lane", "internal/linux/...", "internal/probe", "internal/wire", "registry", "spawn"}},

		{packages: "actor/channel", module: []string{"internal/lane", "spawn"}},
		{packages: "actor/parent", module: []string{"actor", "actor/channel", "host", "internal/tail", "registry", "spawn"}},
		{packages: "actor/portal", module: []string{"actor", "actor/channel", "spawn"}, others: []string{grpc}},
		{packages: "actor/discovery/address", module: []string{"spawn"}},
		{packages: "actor/discovery", module: []string{"actor", "actor/discovery/address", "actor/portal", "internal/linux/...", "spawn"}},
		{packages: "actor/discovery/endpoints", module: []string{"actor/discovery/address", "spawn"}, others: []string{"github.com/pelletier/go-toml/v2/..."}},
		{packages: "actor", module: []string{"actor/channel", "internal/linux/...", "internal/zygote", "spawn"}},

		// A backend never imports the host or another backend.
		{packages: "backends/early", module: []string{"backends/forkexec/plan", "internal/early"}, light: true},
		{packages: "backends/forkexec/plan", module: []string{"spawn"}, light: true},
		{packages: "backends/forkexec", module: []string{"backends/forkexec/plan", "sdk", "spawn"}},
		{packages: "backends/isolate/plan", module: []string{"internal/bytesize", "internal/capability", "internal/cgroup", "internal/landlock", "internal/linux/...", "internal/option", "internal/seccomp", "spawn"}, light: true},
		{packages: "backends/isolate", module: []string{"backends/isolate/plan", "internal/probe", "internal/seccomp/...", "sdk", "spawn"}},
		{packages: "backends/forkserver/python", module: []string{"sdk", "spawn"}},
		{packages: "backends/forkserver", module: []string{"backends/forkserver/...", "internal/bytesize", "internal/option", "sdk", "spawn"}},
		{packages: "backends", module: []string{"backends/...", "registry", "sdk"}},
		{packages: "backends/...", module: []string{"internal/lane", "internal/linux/...", "internal/probe", "registry", "sdk", "spawn"}},

		{packages: "cmd/hatchery/keep", module: append(public(), "internal/lane", "internal/linux/...", "internal/runfolder")},
		{packages: "cmd/hatchery/...", module: append(public(), "cmd/hatchery/...", "docs", "internal/linux", "internal/nearest", "internal/optionschema", "internal/restart", "internal/smoketest", "internal/tinyelf"), others: []string{
			"github.com/creack/pty", "github.com/pelletier/go-toml/v2/...", "github.com/spf13/cobra/...", "github.com/spf13/pflag",
			"github.com/vbauerster/mpb/...", "golang.org/x/term", multiaddr,
		}},
		{packages: "cmd/...", module: []string{"backends/...", "sdk"}},
	}
}

// rowOf returns the row of a package.
func rowOf(rows []row, p string) (row, bool) {
	for _, r := range rows {
		if within(p, r.packages) {
			return r, true
		}
	}
	return row{}, false
}
