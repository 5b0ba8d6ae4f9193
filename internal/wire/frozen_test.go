//go:build unix

package wire_test

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/internal/wire/wiretest"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// A plugin that was built when the API version was 1 goes on working. It stands
// here as what it says, in bytes that were written down then (testdata/v1.txt), and as
// numbers that do not follow the constants of this package: nothing of it changes
// when this package does.

// What the frozen messages say.
func frozenDescription() *spawnv1.DescribeResponse {
	return &spawnv1.DescribeResponse{
		Key: testKey, Summary: "frozen", Status: "experimental", Reason: "r", Alternative: "a", Analysis: "d", Scenario: "s",
		ApiVersion: 1, Features: []string{"planner", "spawner", "time travel"}, SdkVersion: "v0.1.0", OptionsSchema: `{"additionalProperties":false}`,
	}
}

func frozenSpec() *spawn.Spec {
	mask, terminal, foreground := uint32(0o27), 0, 0
	return &spawn.Spec{
		Path: "/bin/\xff", Args: []string{"", "a\x80"}, Env: []string{"A=1", "A=2", "x"}, Dir: "/tmp", Group: spawn.NewGroup, Session: true,
		Terminal: &terminal, Foreground: &foreground, Umask: &mask, NoNewPrivs: true, Ignore: []syscall.Signal{1, 40},
		Credential: &spawn.Credential{UID: 1, GID: 2, Groups: []uint32{3, 4}, KeepGroups: true},
		Limits:     []spawn.Limit{{Resource: 4, Soft: 1, Hard: spawn.Unlimited}}, Options: []spawn.Option{{Key: "k\xfe", Value: "v"}},
	}
}

func frozenPlan() *spawn.Plan {
	p := &spawn.Plan{Reusable: true, Notes: []string{"the old way"}, Steps: []spawn.Step{
		spawn.Clone(0), spawn.Files(), spawn.Open(spawn.Str("/\xff"), -1, 0o600).Noted("hm"), spawn.Close(spawn.Result(2)),
		spawn.Exec(spawn.HolePath.Arg()),
	}}
	return p
}

func frozenError() *spawn.Error {
	return &spawn.Error{
		Key: testKey, Phase: spawn.PhaseSetup, Op: "mount", Path: "/\xff", Errno: syscall.EPERM, Kind: spawn.ErrUnavailable, Msg: "no \xfe",
		Blocked: &spawn.Blocked{Reason: "r", Alternative: "a", Analysis: "d", Scenario: "s"},
	}
}

func frozenStatus() *spawn.ExitStatus {
	return &spawn.ExitStatus{
		Code: -1, Signal: 11, Core: true, Source: spawn.FromBackend, Exceeded: spawn.ExceededMemory, Time: time.Unix(1, 2),
		Rusage: spawn.Rusage{UserTime: 1, SystemTime: 2, MaxRSS: 3, MinorFaults: 4, MajorFaults: 5, BlocksIn: 6, BlocksOut: 7, VoluntaryCS: 8, InvoluntaryCS: 9},
	}
}

//go:embed testdata/v1.txt
var frozenText string

// frozen returns the frozen messages by name.
func frozen() (map[string][]byte, error) {
	all, name := map[string][]byte{}, ""
	for line := range strings.Lines(frozenText) {
		line = strings.TrimSpace(line)
		b, herr := hex.DecodeString(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			name = ""
		case name == "":
			name = line
		case herr != nil:
			return nil, herr
		default:
			all[name] = append(all[name], b...)
		}
	}
	return all, nil
}

// frozenPlugin is the plugin: gRPC with nothing but bytes, and frames by hand.
func frozenPlugin([]string) int {
	said, err := frozen()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/p"
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	over := make(chan struct{})
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		var request []byte
		if err := s.RecvMsg(&request); err != nil {
			return err
		}
		switch method, _ := grpc.MethodFromServerStream(s); method {
		case "/hatchery.spawn.v1.Control/Describe":
			return s.SendMsg(said["describe"])
		case "/hatchery.spawn.v1.Control/Probe":
			return s.SendMsg([]byte{})
		case "/hatchery.spawn.v1.Control/Shutdown":
			defer close(over)
			return s.SendMsg([]byte{})
		}
		return errors.New("version 1 knew no such call")
	}))
	go server.Serve(l) // until GracefulStop
	go frozenLane(said)
	fmt.Fprintf(os.NewFile(3, ""), "1|1|unix|%s|grpc|\n", path)
	<-over
	server.GracefulStop()
	return 0
}

// frozenLane answers by what is asked for: the program says what.
func frozenLane(said map[string][]byte) {
	send := func(typ byte, id uint64, payload []byte) {
		b := []byte{typ, 0, 0, 0}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
		b = binary.LittleEndian.AppendUint64(b, id)
		syscall.Write(4, append(b, payload...))
	}
	buf := make([]byte, 1<<17)
	for child := uint64(0); ; {
		n, err := syscall.Read(4, buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n < 16 {
			return
		}
		payload, id := buf[16:n], binary.LittleEndian.Uint64(buf[8:])
		switch buf[0] {
		case 1: // Plan
			switch {
			case strings.Contains(string(payload), "refuse"):
				send(8, id, said["error"])
			case strings.Contains(string(payload), "unchanged") || string(payload) == string(said["spec"]):
				send(2, id, said["plan"])
			default:
				send(8, id, nil) // an error that says nothing
			}
		case 3: // Spawn
			child = id
			send(99, id, []byte("a frame that nobody knows"))
			send(4, id, nil)
		case 6: // Signal
			send(7, id, nil)
			send(5, child, said["status"])
		}
	}
}

// bytesCodec passes messages on as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (bytesCodec) Name() string                       { return "proto" }

func TestAPluginOfVersion1(t *testing.T) {
	leakcheck.Check(t)
	for _, host := range []wire.APIRange{{}, {Oldest: 1, Newest: 2}} {
		l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "frozen")...)
		c, err := wire.Dial(t.Context(), wire.ClientConfig{
			Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(t), StartTimeout: 20 * time.Second, API: host,
		})
		if err != nil {
			t.Fatalf("a host of the versions %v: %v", host, err)
		}
		d := c.Description()
		if d.Summary != "frozen" || d.APIVersion != 1 || d.SDKVersion != "v0.1.0" || d.OptionsSchema == "" || !d.Has(wire.FeaturePlanner) || !d.Has("time travel") {
			t.Errorf("it says %+v", d)
		}
		if err := c.Probe(t.Context()); err != nil {
			t.Errorf("probe: %v", err)
		}
		planner := wire.NewPlanner(testKey, l.Last().Lane(t))
		frozenWork(t, planner)
		if err := c.Close(context.Background(), 5*time.Second); err != nil || c.Forced() {
			t.Errorf("closing it: %v, forced %v", err, c.Forced())
		}
		planner.Close()
		l.Last().Release()
	}
}

// frozenWork has the plugin plan, refuse, and look after a child.
func frozenWork(t *testing.T, p *wire.Planner) {
	t.Helper()
	for _, spec := range []*spawn.Spec{frozenSpec(), {Path: "unchanged"}} {
		plan, err := p.Plan(t.Context(), spec)
		if err != nil || cmp.Diff(fmt.Sprint(frozenPlan().Steps, true, "the old way"), fmt.Sprint(plan.Steps, plan.Reusable, plan.Notes[0])) != "" {
			t.Errorf("the plan: %v, %v", plan, err)
		}
	}
	_, err := p.Plan(t.Context(), &spawn.Spec{Path: "refuse"})
	if got := spawn.AsError(err); !reflect.DeepEqual(got, frozenError()) {
		t.Errorf("its error: %#v, want %#v", got, frozenError())
	}
	child, err := p.Spawn(t.Context(), &spawn.Spec{Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Signal(t.Context(), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(*frozenStatus(), <-child.Exited()); diff != "" {
		t.Errorf("its child's end (-want +got):\n%s", diff)
	}
}

// What a host of version 1 says, a plugin of this one understands, and the other way
// round: the bytes are still the same.
func TestTheBytesOfVersion1(t *testing.T) {
	said, err := frozen()
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]handCoded{"spec": frozenSpec(), "plan": frozenPlan(), "error": frozenError(), "status": frozenStatus()} {
		if b, err := m.AppendBinary(nil); err != nil || cmp.Diff(said[name], b) != "" {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(said[name], b))
		}
	}
	var spec spawn.Spec
	if err := spec.UnmarshalBinary(said["spec"]); err != nil {
		t.Fatal(err)
	}
	if again, err := spec.AppendBinary(nil); err != nil || cmp.Diff(said["spec"], again) != "" {
		t.Errorf("the Spec, taken apart and put together: %v\n%s", err, cmp.Diff(said["spec"], again))
	}
	d := new(spawnv1.DescribeResponse)
	if err := proto.Unmarshal(said["describe"], d); err != nil || !proto.Equal(d, frozenDescription()) {
		t.Errorf("the description: %v, %v", d, err)
	}
}

// What a later version adds to a message is kept, or passed over, and never fails.
func TestUnknownFieldsSurvive(t *testing.T) {
	said, err := frozen()
	if err != nil {
		t.Fatal(err)
	}
	later := append(said["describe"], 0xc2, 0x3e, 3, 'n', 'e', 'w') // field 1000, bytes
	d := new(spawnv1.DescribeResponse)
	if err := proto.Unmarshal(later, d); err != nil {
		t.Fatal(err)
	}
	if again, err := proto.Marshal(d); err != nil || !strings.HasSuffix(string(again), "new") {
		t.Errorf("put together again: %x, %v", again, err)
	}
}

// Versions are negotiated: the newest that both speak.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		host, plugin wire.APIRange
		want         uint32   // or 0, and then
		says         []string // by an error of kind ErrVersion
	}{
		{host: wire.APIRange{}, plugin: wire.APIRange{}, want: wire.APIVersion},
		{host: wire.APIRange{Oldest: 1, Newest: 2}, plugin: wire.APIRange{Oldest: 1, Newest: 1}, want: 1},
		{host: wire.APIRange{Oldest: 1, Newest: 1}, plugin: wire.APIRange{Oldest: 1, Newest: 2}, want: 1},
		{host: wire.APIRange{Oldest: 2, Newest: 3}, plugin: wire.APIRange{Oldest: 1, Newest: 2}, want: 2},
		{host: wire.APIRange{Oldest: 2, Newest: 11}, plugin: wire.APIRange{Oldest: 9, Newest: 10}, want: 10},
		{host: wire.APIRange{Oldest: 2, Newest: 3}, plugin: wire.APIRange{Oldest: 1, Newest: 1},
			says: []string{"the plugin speaks API version 1 and the host 2 to 3", "build the plugin again with the sdk of this host's version"}},
		{host: wire.APIRange{Oldest: 1, Newest: 2}, plugin: wire.APIRange{Oldest: 3, Newest: 4},
			says: []string{"the plugin speaks API version 3 and the host 1 to 2", "upgrade the host"}},
	} {
		t.Run(fmt.Sprintf("host %v, plugin %v", c.host, c.plugin), func(t *testing.T) {
			l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "versions", fmt.Sprint(c.plugin.Oldest), fmt.Sprint(c.plugin.Newest))...)
			client, err := wire.Dial(t.Context(), wire.ClientConfig{
				Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(t), StartTimeout: 20 * time.Second, API: c.host,
			})
			if err == nil {
				defer client.Close(context.Background(), time.Second)
			}
			switch {
			case c.want != 0 && err != nil:
				t.Error(err)
			case c.want != 0:
				if got := client.Description().APIVersion; got != c.want {
					t.Errorf("they speak version %d, want %d", got, c.want)
				}
			case !errors.Is(err, spawn.ErrVersion):
				t.Errorf("got %v, want ErrVersion", err)
			default:
				for _, says := range c.says {
					if !strings.Contains(err.Error(), says) {
						t.Errorf("%v\ndoes not say %q", err, says)
					}
				}
			}
		})
	}
}

// versionsPlugin speaks the versions of its arguments.
func versionsPlugin(args []string) int {
	var r wire.APIRange
	fmt.Sscan(args[0], &r.Oldest)
	fmt.Sscan(args[1], &r.Newest)
	err := wire.Serve(context.Background(), wire.ServeConfig{Control: testControl{}, Handshake: os.NewFile(wire.HandshakeFD, "handshake"), API: r})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
