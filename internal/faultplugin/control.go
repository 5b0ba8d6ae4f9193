//go:build unix

package faultplugin

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// controlModes shake hands, and then do not serve the control connection or
// say the wrong thing on it.
func controlModes() []Mode {
	mode := func(name, explain string, kind error, run func(string) int, says ...string) Mode {
		return Mode{Name: name, Explain: explain, Stage: AtStart, Kind: kind, Says: says, run: run}
	}
	serves := func(p plugin) func(string) int {
		return func(key string) int {
			if p.key == "" {
				p.key = key
			}
			return p.serve()
		}
	}
	return []Mode{
		mode("socket_none", "names a socket that is not there", spawn.ErrProtocol,
			func(string) int {
				fmt.Fprintf(handshake(), "1|%d|unix|/nowhere|grpc|\n", wire.APIVersion)
				return hang()
			}, "/nowhere"),
		mode("socket_deaf", "listens on its socket and takes no connection", spawn.ErrTimeout,
			func(string) int { listen(); return hang() }, "connection"),
		mode("socket_garbage", "answers the connection with bytes that are no gRPC", spawn.ErrProtocol,
			func(string) int { return talk("HTTP/1.1 400 Bad Request\r\n\r\n") }, "control connection"),
		mode("socket_brief", "takes the connection and exits with 5", spawn.ErrPluginGone,
			func(string) int {
				listen().Accept()
				fmt.Fprintln(os.Stderr, "that was enough")
				return 5
			}, "exit status 5", "that was enough"),
		mode("describe_hang", "does not answer the first call", spawn.ErrTimeout,
			serves(plugin{describe: func() { hang() }}), "describe"),
		mode("describe_panic", "panics in the first call", spawn.ErrPluginGone,
			serves(plugin{describe: func() { panic("the well is dry") }}), "describe", "exit status 2", "panic: the well is dry"),
		mode("describe_stop", "stops itself in the first call", spawn.ErrTimeout,
			serves(plugin{describe: stopMyself}), "describe"),
		mode("describe_huge", "answers the first call with 16 MiB", spawn.ErrProtocol,
			func(key string) int { return plugin{key: key, summary: strings.Repeat("x", 16<<20)}.serve() }, "describe", "larger than max"),
		mode("api_newer", "says in the first call that it is of a newer API version", spawn.ErrVersion,
			serves(plugin{api: 9, sdk: "v9.8.7"}), "API version 9", "v9.8.7", "the host 1", "upgrade the host"),
		mode("key_lie", "says that it serves another method", spawn.ErrProtocol,
			serves(plugin{key: "forkexec"}), `"forkexec"`, `want "fault_key_lie"`),
	}
}

// listen makes the socket that the host expects and says where it is.
func listen() net.Listener {
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/p"
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Stderr.Close()
		panic(err)
	}
	fmt.Fprintf(handshake(), "1|%d|unix|%s|grpc|\n", wire.APIVersion, path)
	return l
}

// talk writes text to whoever connects, and does not end.
func talk(text string) int {
	conn, err := listen().Accept()
	if err != nil {
		return 1
	}
	fmt.Fprint(conn, text)
	return hang()
}
