package isolate

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/hatchery-spawn/hatchery/backends/isolate/plan"
	"github.com/hatchery-spawn/hatchery/internal/probe"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var _ sdk.Prober = Backend{}

// Probe makes a sandbox without options, for a program that ends at once. The
// error is of kind spawn.ErrUnavailable and says which step failed, and what
// would help.
func (Backend) Probe(context.Context) error {
	err := try()
	if err == nil {
		return nil
	}
	return &spawn.Error{Key: Key, Phase: spawn.PhaseSelect, Kind: spawn.ErrUnavailable, Errno: spawn.AsError(err).Errno, Msg: reason(err)}
}

// A Feature is something that a sandbox can have, and whether it can have it
// here.
type Feature struct {
	Name   string // an option, as it is given, or what it is
	Reason string // why it does not work; empty when it does
	Note   string // by which of several ways it does
}

// Features tries out each feature in a sandbox of its own.
func Features(context.Context) []Feature {
	all := []Feature{
		feature("a sandbox"),
		feature("net=none", spawn.Option{Key: "net", Value: "none"}),
		feature("net=host", spawn.Option{Key: "net", Value: "host"}),
		feature("profile=empty", spawn.Option{Key: "profile", Value: "empty"}),
		feature("hostname", spawn.Option{Key: "hostname", Value: "probe"}),
		feature("uid and gid", spawn.Option{Key: "uid", Value: "0"}, spawn.Option{Key: "gid", Value: "0"}),
		feature("ids", spawn.Option{Key: "ids", Value: "100000:65536"}),
		feature("tmpfs", spawn.Option{Key: "tmpfs", Value: "/tmp/x:1m"}),
		feature("bind", spawn.Option{Key: "bind", Value: "/:/tmp/x"}),
		feature("clock", spawn.Option{Key: "clock", Value: "monotonic:1h"}),
		feature("landlock of paths", spawn.Option{Key: "landlock", Value: "exec:/usr"}),
		feature("landlock of ports", spawn.Option{Key: "landlock", Value: "connect:443"}),
		feature("landlock=scope", spawn.Option{Key: "landlock", Value: "scope"}),
	}
	return append(all, overlay(),
		limit("memory", "64m"), limit("cpus", "1"), limit("pids", "100"), ioLimit(), limit("io_weight", "100"), limit("cpu_time", "1h"), limit("wall", "1h"))
}

func feature(name string, options ...spawn.Option) Feature {
	p, err := planWith(options)
	if err == nil {
		err = probe.Try(p)
	}
	if err != nil {
		return Feature{Name: name, Reason: reason(err)}
	}
	return Feature{Name: name, Note: strings.Join(p.Notes, "; ")}
}

// limit is feature for an option that limits something. What the plan notes begins
// with the option's name.
func limit(key, value string) Feature {
	f := feature(key, spawn.Option{Key: key, Value: value})
	f.Note = strings.TrimPrefix(f.Note, key+": ")
	return f
}

// ioLimit tries a limit of the disk that the root is on, or, as in a container it is on
// none, of the first disk that there is.
func ioLimit() (f Feature) {
	disks := []string{"/"}
	partitions, _ := os.ReadFile("/proc/partitions")
	for line := range strings.Lines(string(partitions)) {
		// 254 0 268435456 vda
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[0] == "major" {
			continue
		}
		if dev := "/dev/" + fields[3]; isDisk(dev) {
			disks = append(disks, dev)
		}
	}
	for _, disk := range disks {
		if f = limit("io", disk+":rbps=1g"); f.Reason == "" {
			return f
		}
	}
	return f
}

func isDisk(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode()&(os.ModeDevice|os.ModeCharDevice) == os.ModeDevice
}

// overlay tries an overlay on a root that is made for it.
func overlay() Feature {
	const name = "overlay"
	dir, err := os.MkdirTemp("", "hatchery-probe-*")
	if err != nil {
		return Feature{Name: name, Reason: err.Error()}
	}
	defer os.RemoveAll(dir)
	for _, sub := range []string{"proc", "dev", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return Feature{Name: name, Reason: err.Error()}
		}
	}
	return feature(name, spawn.Option{Key: "root", Value: dir}, spawn.Option{Key: "overlay", Value: "true"})
}

func try(options ...spawn.Option) error {
	p, err := planWith(options)
	if err != nil {
		return err
	}
	return probe.Try(p)
}

func planWith(options []spawn.Option) (*spawn.Plan, error) {
	return plan.Make(&spawn.Spec{Path: "/", Dir: "/", Options: options})
}

// reason returns an error without what everybody knows who asked.
func reason(err error) string {
	short := *spawn.AsError(err)
	short.Key, short.Phase, short.Kind = "", "", nil
	return short.Error()
}
