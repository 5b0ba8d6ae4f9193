package wire

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
)

// Control is what a plugin answers on the control connection. Calls may run at
// the same time. An error that is a *spawn.Error reaches the host as itself.
type Control interface {
	// Describe says what the plugin serves.
	Describe(ctx context.Context) (Description, error)
	// Probe returns nil when the method works on this machine.
	Probe(ctx context.Context) error
	// Shutdown releases what the plugin holds. ctx ends with the grace that
	// the host allows.
	Shutdown(ctx context.Context) error
}

// A Description is what a plugin says of itself.
type Description struct {
	Key, Summary, Status                    string
	Reason, Alternative, Analysis, Scenario string

	// APIVersion is the one that the plugin has chosen; what it leaves zero is
	// filled in.
	APIVersion uint32
	// SDKVersion is the version of this module that the plugin was built
	// with, for people; empty if it is not known.
	SDKVersion string
	// OptionsSchema is a JSON Schema of the method's options, or empty.
	OptionsSchema string
	// Features are what the plugin can do. Unknown ones are passed on.
	Features []string
}

// Features of a plugin.
const (
	FeaturePlanner = "planner" // it answers Plan requests on the lane
	FeatureSpawner = "spawner" // it answers Spawn requests on the lane
	// FeatureCan begins what children can have: can:umask.
	FeatureCan = "can:"
)

// Has reports whether the plugin has the feature.
func (d Description) Has(feature string) bool { return slices.Contains(d.Features, feature) }

// Claims returns what children can have, as far as the plugin says.
func (d Description) Claims() (all []string) {
	for _, f := range d.Features {
		if c, ok := strings.CutPrefix(f, FeatureCan); ok {
			all = append(all, c)
		}
	}
	return all
}

// message returns d as it is sent. Its texts are made valid UTF-8, which
// protobuf insists on.
func (d Description) message() *spawnv1.DescribeResponse {
	text := func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
	m := &spawnv1.DescribeResponse{
		Key: text(d.Key), Summary: text(d.Summary), Status: text(d.Status),
		Reason: text(d.Reason), Alternative: text(d.Alternative), Analysis: text(d.Analysis), Scenario: text(d.Scenario),
		ApiVersion: d.APIVersion, SdkVersion: text(d.SDKVersion), OptionsSchema: text(d.OptionsSchema),
	}
	for _, f := range d.Features {
		m.Features = append(m.Features, text(f))
	}
	if m.ApiVersion == 0 {
		m.ApiVersion = APIVersion
	}
	if m.SdkVersion == "" {
		m.SdkVersion = moduleVersion()
	}
	return m
}

func descriptionOf(m *spawnv1.DescribeResponse) Description {
	return Description{
		Key: m.GetKey(), Summary: m.GetSummary(), Status: m.GetStatus(),
		Reason: m.GetReason(), Alternative: m.GetAlternative(), Analysis: m.GetAnalysis(), Scenario: m.GetScenario(),
		APIVersion: m.GetApiVersion(), SDKVersion: m.GetSdkVersion(), OptionsSchema: m.GetOptionsSchema(), Features: m.GetFeatures(),
	}
}

// modulePath is the path of this module in a plugin's build information.
const modulePath = "github.com/hatchery-spawn/hatchery"

// moduleVersion returns the version of this module in the running binary, or
// "" if it was built without that information.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if info.Main.Path == modulePath {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == modulePath {
			return dep.Version
		}
	}
	return ""
}
