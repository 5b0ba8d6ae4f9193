package discovery_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// nobodyMain is a helper that runs as another user: "probe ADDRESS" says what
// becomes of it, "registrar" is a false one until its input ends.
func nobodyMain(args []string) int {
	if args[0] == "probe" {
		a, err := address.Parse(args[1])
		if err == nil {
			_, err = discovery.Probe(context.Background(), discovery.Config{}, a)
		}
		fmt.Println(err)
		return 0
	}
	var s portal.Server
	portal.Handle(&s, "discovery.hello", func(_ context.Context, g map[string]string) (map[string]any, error) {
		return map[string]any{"protocol": 1, "nonce": g["nonce"], "registrar": true}, nil
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Printf("/ip4/127.0.0.1/tcp/%d\n", l.Addr().(*net.TCPAddr).Port)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	portal.Serve(ctx, l, portal.Config{Serve: &s})
	return 0
}
