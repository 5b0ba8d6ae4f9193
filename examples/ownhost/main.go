// Command ownhost is a host of its own making: it runs a program by a method that the
// user chooses, one of them its own, with a flag set and a logger of its own. It is
// in another module than Hatchery and has its public packages alone.
//
//	ownhost -by quiet -level debug -- make -j8
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// methods are those of the library, and ours.
func methods() []registry.Entry { return append(backends.Builtin(), sdk.Entry(quiet{})) }

func main() {
	host.Init(methods()...)
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code, which is the child's.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	reg, err := registry.New(methods()...)
	if err != nil {
		return failed(stderr, err)
	}
	flags := flag.NewFlagSet("ownhost", flag.ContinueOnError)
	flags.SetOutput(stderr)
	by := registry.NewFlag(reg)
	flags.Var(by, "by", by.Usage())
	var level slog.Level
	flags.TextVar(&level, "level", slog.LevelWarn, "what is logged")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2 // the flag set has said why
	}
	if flags.NArg() == 0 {
		fmt.Fprintln(stderr, "ownhost: no program given: want ownhost [flags] PROG [ARG...]")
		return 2
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))

	h, err := host.Open(host.Config{Registry: reg, Method: by.Key(), OnEvent: logged(log)})
	if err != nil {
		return failed(stderr, err)
	}
	code, err := child(ctx, h, log, flags.Args(), stdout, stderr)
	if err := errors.Join(err, h.Close()); err != nil {
		return failed(stderr, err)
	}
	return code
}

// child runs the program to its end.
func child(ctx context.Context, h *host.Host, log *slog.Logger, args []string, stdout, stderr io.Writer) (code int, err error) {
	cmd := h.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	err = cmd.Run()
	var exit *spawn.ExitError
	if errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
	}
	if err == nil {
		log.Info("ended", "method", h.Selected(), "code", code)
	}
	return code, err
}

// logged returns what tells a logger of what happens to plugins and keepers.
func logged(log *slog.Logger) func(host.Event) {
	return func(e host.Event) {
		switch e := e.(type) {
		case host.PluginChanged:
			log.Debug("plugin", "method", e.Key, "state", e.State)
		case host.KeeperKilled:
			log.Error("the keeper was killed, and what it had started with it", "pid", e.Pid)
		}
	}
}

func failed(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "ownhost:", err)
	return 125
}
