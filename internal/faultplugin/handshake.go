//go:build unix

package faultplugin

import (
	"fmt"
	"os"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// handshakeModes write the wrong thing to the handshake descriptor, and do not
// end.
func handshakeModes() []Mode {
	repeats := func(name, explain, text string, times int, kind error, says ...string) Mode {
		return Mode{Name: "handshake_" + name, Explain: "writes to the handshake descriptor " + explain, Stage: AtStart, Kind: kind, Says: append(says, "handshake"),
			run: func(string) int {
				handshake().WriteString(strings.Repeat(text, times))
				return hang()
			}}
	}
	says := func(name, explain, text string, kind error, says ...string) Mode {
		return repeats(name, explain, text, 1, kind, says...)
	}
	api := fmt.Sprintf("the host %d", wire.APIVersion)
	return []Mode{
		says("line", "a line of garbage", "what is this?\n", spawn.ErrProtocol, `"what is this?"`, "want a go-plugin handshake line"),
		repeats("lines", "10 000 lines of garbage", "what is this?\n", 10_000, spawn.ErrProtocol, `"what is this?"`),
		repeats("mebibyte", "1 MiB without a newline", "x", 1<<20, spawn.ErrProtocol, `"xxxxxxxx`),
		repeats("huge", "what begins like a handshake line and has 1 MiB", "1|1|unix|/tmp/", 1<<16, spawn.ErrProtocol, "1|1|unix|/tmp/1|1"),
		says("blank", "a blank line", "\n", spawn.ErrProtocol, `wrote ""`),
		says("nul", "bytes that are no text", "\x00\xff\x1b[2J\n", spawn.ErrProtocol, `\x00\xff\x1b[2J`),
		says("part", "the beginning of a line, and no more", "1|1|unix|/tm", spawn.ErrTimeout, `"1|1|unix|/tm"`),
		says("core_newer", "a newer version of go-plugin's own protocol", "2|1|unix|/nowhere|grpc|\n", spawn.ErrVersion, "version 2 of", "the host 1", "sdk"),
		says("core_older", "an older version of go-plugin's own protocol", "0|1|unix|/nowhere|grpc|\n", spawn.ErrVersion, "version 0 of", "the host 1", "sdk"),
		says("api_newer", "a newer API version", "1|9|unix|/nowhere|grpc|\n", spawn.ErrVersion, "API version 9", api, "upgrade the host"),
		says("api_older", "an older API version", "1|0|unix|/nowhere|grpc|\n", spawn.ErrVersion, "API version 0", api, "build the plugin again with the sdk of this host's version"),
		says("tcp", "an address that is no Unix socket", "1|1|tcp|127.0.0.1:1|grpc|\n", spawn.ErrProtocol, "tcp", "unix socket"),
		says("netrpc", "another protocol than gRPC", "1|1|unix|/nowhere|netrpc|\n", spawn.ErrProtocol, "netrpc"),
		{Name: "handshake_mute", Explain: "closes the handshake descriptor without a word", Stage: AtStart, Kind: spawn.ErrProtocol, Says: []string{"without a word"},
			run: func(string) int { handshake().Close(); return hang() }},
		{Name: "handshake_stdout", Explain: "writes its handshake line to descriptor 1, as a plugin without the sdk does", Stage: AtStart, Kind: spawn.ErrTimeout, Says: []string{"descriptor 1", "descriptor 3", "sdk"},
			run: func(string) int {
				fmt.Printf("1|%d|unix|/nowhere|grpc|\n", wire.APIVersion)
				return hang()
			}},
	}
}

func handshake() *os.File { return os.NewFile(wire.HandshakeFD, "handshake") }
