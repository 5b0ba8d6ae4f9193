//go:build linux

package host_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/registry"
	"google.golang.org/grpc"
)

// bareVariable makes this program a plugin that has nothing to do with Hatchery.
const bareVariable = "HATCHERY_BARE_PLUGIN"

func bareHandshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: bareVariable, MagicCookieValue: "1"}
}

// bare is a plugin with no service of its own: go-plugin's health check is its
// first call.
type bare struct{ plugin.NetRPCUnsupportedPlugin }

func (bare) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (bare) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

// serveBare is the bare plugin's main.
func serveBare() {
	if os.Getenv(bareVariable) != "" {
		plugin.Serve(&plugin.ServeConfig{
			HandshakeConfig: bareHandshake(), Plugins: plugin.PluginSet{"bare": bare{}},
			GRPCServer: plugin.DefaultGRPCServer, Logger: hclog.NewNullLogger(),
		})
		os.Exit(0)
	}
}

// startBare starts the bare plugin as a program does that uses nothing but
// go-plugin, without TLS, and returns how long it took to the first answer.
func startBare(b *testing.B) time.Duration {
	begin := time.Now()
	c := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: bareHandshake(), Plugins: plugin.PluginSet{"bare": bare{}},
		Cmd: exec.Command(helperproc.Path()), AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger: hclog.NewNullLogger(),
	})
	defer c.Kill()
	p, err := c.Client()
	if err == nil {
		err = p.Ping()
	}
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

// ours is a host whose keeper is up, and whose plugin ends soon when it is not
// needed.
type ours struct {
	h  *host.Host
	hi *history
}

func newOurs(b *testing.B, r *registry.Registry) ours {
	hi := newHistory(b)
	return ours{open(b, host.Config{Registry: r, OnEvent: hi.event, Timeouts: host.Timeouts{Idle: 10 * time.Millisecond}}), hi}
}

// start does the same as startBare.
func (o ours) start(b *testing.B) time.Duration {
	begin := time.Now()
	if err := o.h.Probe(b.Context(), "forkexec"); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	pid := o.hi.until(host.PluginReady, 10*time.Second).Pid
	o.hi.until(host.PluginIdle, 10*time.Second)
	eventually(b, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
	return took
}

// BenchmarkPluginStart starts a built-in plugin, a plugin binary and a bare one
// of go-plugin in turn, up to the first answer, and compares the medians. All
// three are this program.
func BenchmarkPluginStart(b *testing.B) {
	builtin := newOurs(b, nil)
	r, err := registry.New(registry.Entry{Key: "forkexec", Path: filepath.Join(externalBackend(b, "forkexec"), "spawn-backend-forkexec")})
	if err != nil {
		b.Fatal(err)
	}
	binary := newOurs(b, r)
	var times [3][]time.Duration
	for b.Loop() {
		times[0] = append(times[0], builtin.start(b))
		times[1] = append(times[1], binary.start(b))
		times[2] = append(times[2], startBare(b))
	}
	bare := median(times[2])
	for i, name := range []string{"builtin", "binary", "bare"} {
		m := median(times[i])
		b.ReportMetric(float64(m.Microseconds()), "µs/"+name)
		b.ReportMetric(float64(m)/float64(bare), "x/"+name)
	}
	b.ReportMetric(0, "ns/op")
}
