//go:build unix

package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc"
)

func TestMain(m *testing.M) {
	os.Exit(helperproc.Main(func() int { return leakcheck.Main(m) }, map[string]helperproc.Func{
		"plugin": func(args []string) int { return modes()[args[0]](args[1:]) },
	}))
}

// modes are the plugins of these tests, good and bad, by name. Each is a
// process of its own, and its function what main would be.
func modes() map[string]func([]string) int {
	return map[string]func([]string) int{
		"ok":       func([]string) int { return servePlugin(testControl{}) },
		"old-api":  func([]string) int { return servePlugin(testControl{api: 99}) },
		"loud":     func([]string) int { return servePlugin(testControl{reason: strings.Repeat("x", 2<<20)}) },
		"key":      func([]string) int { return servePlugin(testControl{key: "isolate"}) },
		"nocookie": func([]string) int { os.Setenv("HATCHERY_PLUGIN_COOKIE", "other"); return servePlugin(testControl{}) },
		"probe":    func(args []string) int { return servePlugin(testControl{probe: args[0]}) },
		"wedged":   func([]string) int { return servePlugin(testControl{wedged: true}) },
		"noisy": func(args []string) int {
			fmt.Print(garbage(args[0]))
			return servePlugin(testControl{})
		},
		"garbage": func(args []string) int {
			os.NewFile(wire.HandshakeFD, "").WriteString(garbage(args[0]))
			return hang()
		},
		"exit":  func([]string) int { fmt.Fprintln(os.Stderr, "no such moon phase"); return 3 },
		"panic": func([]string) int { panic("the plugin's own words") },
		"hang":  func([]string) int { return hang() },
		"mute":  func([]string) int { syscall.Close(wire.HandshakeFD); return hang() },
		"stop":  func([]string) int { stopMyself(); return 0 },
		"line": func(args []string) int {
			os.NewFile(wire.HandshakeFD, "").WriteString(args[0] + "\n")
			return hang()
		},
		"last-line": func(args []string) int {
			os.NewFile(wire.HandshakeFD, "").WriteString(args[0] + "\n")
			return 8
		},
		"flash": func([]string) int {
			os.NewFile(wire.HandshakeFD, "").WriteString("1|1|unix|/nowhere|grpc|\n")
			return 6
		},
		"deaf":    deafPlugin,
		"http":    httpPlugin,
		"brief":   briefPlugin,
		"daemon":  daemonPlugin,
		"old-sdk": func([]string) int { return serveOldSDK() },
		"calls":   func([]string) int { return serveCalls() },

		"frozen":   frozenPlugin,
		"versions": versionsPlugin,
	}
}

// testControl is a Control whose answers tell what the tests want to know.
type testControl struct {
	key    string
	api    uint32
	reason string // instead of one that is not UTF-8
	wedged bool   // Shutdown does not return
	probe  string // what Probe does
}

func (c testControl) Describe(context.Context) (wire.Description, error) {
	fmt.Println("printed by the backend")
	d := wire.Description{
		Key: testKey, Summary: strings.Join(os.Environ(), "\n"), Status: "stable", Reason: "a\xffb",
		APIVersion: c.api, Features: []string{wire.FeaturePlanner, "grease"},
	}
	if c.key != "" {
		d.Key = c.key
	}
	if c.reason != "" {
		d.Reason = c.reason
	}
	if c.api != 0 {
		d.SDKVersion = "v9.8.7"
	}
	return d, nil
}

func (c testControl) Probe(ctx context.Context) error {
	switch c.probe {
	case "panic":
		panic("boom in Probe")
	case "slow":
		<-ctx.Done()
		return ctx.Err()
	case "stop":
		stopMyself()
	case "error":
		return probeError()
	case "plain":
		return fmt.Errorf("look: %w", &fs.PathError{Op: "open", Path: "/a\xffb", Err: syscall.ENOENT})
	}
	return nil
}

func probeError() *spawn.Error {
	return &spawn.Error{
		Key: testKey, Phase: spawn.PhaseSelect, Op: "clone", Path: "/tmp/\xff", Errno: syscall.EPERM,
		Kind: spawn.ErrUnavailable, Msg: "no \xfe user namespaces",
		Blocked: &spawn.Blocked{Reason: "r\xff", Alternative: "alt", Analysis: "doc", Scenario: "s"},
	}
}

func (c testControl) Shutdown(ctx context.Context) error {
	if c.wedged {
		select {}
	}
	return nil
}

// servePlugin is a plugin without the sdk.
func servePlugin(c testControl) int {
	if err := wire.Serve(context.Background(), wire.ServeConfig{Control: c, Handshake: os.NewFile(wire.HandshakeFD, "handshake")}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serveOldSDK is a plugin whose service lacks every call but Describe.
func serveOldSDK() int {
	desc := spawnv1.Control_ServiceDesc
	for _, m := range desc.Methods {
		if m.MethodName == "Describe" {
			desc.Methods = []grpc.MethodDesc{m}
		}
	}
	os.Stdout = os.NewFile(wire.HandshakeFD, "handshake")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "HATCHERY_PLUGIN_COOKIE", MagicCookieValue: os.Getenv("HATCHERY_PLUGIN_COOKIE")},
		Plugins:         plugin.PluginSet{"control": oldPlugin{desc: &desc}},
		GRPCServer:      plugin.DefaultGRPCServer,
	})
	return 0
}

type oldPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	spawnv1.UnimplementedControlServer
	desc *grpc.ServiceDesc
}

func (p oldPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(p.desc, p)
	return nil
}

func (oldPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.ErrUnsupported
}

func (oldPlugin) Describe(context.Context, *spawnv1.DescribeRequest) (*spawnv1.DescribeResponse, error) {
	return &spawnv1.DescribeResponse{Key: testKey, ApiVersion: wire.APIVersion}, nil
}

// serveCalls is a plugin that says on standard error what it is called for.
func serveCalls() int {
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/p"
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(s)
		fmt.Fprintln(os.Stderr, "called:", method)
		return nil
	}))
	spawnv1.RegisterControlServer(server, oldPlugin{})
	fmt.Fprintf(os.NewFile(wire.HandshakeFD, ""), "1|1|unix|%s|grpc|\n", path)
	server.Serve(l)
	return 0
}

// deafPlugin shakes hands and then serves nothing.
func deafPlugin([]string) int {
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/p"
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer l.Close()
	fmt.Fprintf(os.NewFile(wire.HandshakeFD, ""), "1|1|unix|%s|grpc|\n", path)
	return hang()
}

// httpPlugin shakes hands and then speaks another protocol.
func httpPlugin([]string) int {
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/p"
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer l.Close()
	fmt.Fprintf(os.NewFile(wire.HandshakeFD, ""), "1|1|unix|%s|grpc|\n", path)
	if conn, err := l.Accept(); err == nil {
		fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
	}
	return hang()
}

// briefPlugin shakes hands and ends when somebody connects.
func briefPlugin([]string) int {
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/p"
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintf(os.NewFile(wire.HandshakeFD, ""), "1|1|unix|%s|grpc|\n", path)
	l.Accept()
	fmt.Fprintln(os.Stderr, "that was enough")
	return 5
}

// daemonPlugin leaves a descendant behind that holds everything open, and ends
// without a handshake.
func daemonPlugin([]string) int {
	cmd := exec.Command("sleep", "30")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(wire.HandshakeFD, ""), os.NewFile(wire.LaneFD, "")}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 4
}

func hang() int {
	time.Sleep(time.Hour) // the test kills it
	return 0
}

// stopMyself does not return: the signal may take a moment, and find another
// thread.
func stopMyself() {
	syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
	hang()
}

func garbage(kind string) string {
	const line = "what is this | I do not | even\n"
	switch kind {
	case "line":
		return line
	case "lines":
		return strings.Repeat(line, 10_000)
	case "mebibyte":
		return strings.Repeat("x", 1<<20)
	}
	return ""
}
