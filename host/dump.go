package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/proctree"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// dumpTime is how long a dump takes at most, until it is written.
const dumpTime = 2 * time.Second

// Dump writes a report for people who look for what hangs: every wait of the
// host that is under way, with its age and deadline; the living children; the
// plugins and keepers, with what they have been asked and have not answered;
// the processes, their states and what each of their threads waits in; the
// stacks of all goroutines of this program and of its plugins.
//
// It needs no rights, waits for no lock that a stuck part of the host may hold,
// and takes 2 s at most, less when ctx ends sooner: what cannot be had in that
// time is said to be missing. A report has 8 MB at most, a few KB as a rule. It
// may show anything that the program keeps on a command line, so it should
// not be shown to strangers.
//
// The error is that of the one Write. Dump may be called at any time, during
// and after Close too.
func (h *Host) Dump(ctx context.Context, w io.Writer) error {
	if _, err := w.Write(h.report(ctx)); err != nil {
		return &spawn.Error{Op: "dump", Err: err}
	}
	return nil
}

// A section is a part of a report. write is called in a goroutine of its own
// and may be left behind there.
type section struct {
	title string
	write func(ctx context.Context) []byte
}

// report makes the whole of a dump.
func (h *Host) report(ctx context.Context) []byte {
	ctx, cancel := context.WithTimeout(ctx, dumpTime)
	defer cancel()
	sections := []section{
		{"waits of the host, oldest first", h.dumpWaits},
		{"children", h.dumpChildren},
		{"methods and their plugins", h.dumpMethods},
		{"keepers", h.dumpKeepers},
		{"processes", dumpProcesses},
		{"goroutines of the host", dumpStacks},
		{"goroutines of the plugins", h.dumpPluginStacks},
		{"keepers by themselves", h.dumpKeeperStacks},
	}
	parts := make([]chan []byte, len(sections))
	for i, s := range sections {
		parts[i] = make(chan []byte, 1)
		go func() { parts[i] <- s.write(ctx) }()
	}
	b := h.dumpHeader(time.Now())
	late, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(partTime, end) })()
	for i, s := range sections {
		b = fmt.Appendf(b, "\n== %s\n", s.title)
		b = append(b, awaitPart(late, parts[i])...)
	}
	return append(b, "\n== end of the dump\n"...)
}

// partTime is what the parts of a dump have to notice that the time is over.
const partTime = 100 * time.Millisecond

func awaitPart(ctx context.Context, part <-chan []byte) []byte {
	select {
	case b := <-part:
		return b
	case <-ctx.Done():
		return []byte("  could not be had in time\n")
	}
}

func (h *Host) dumpHeader(now time.Time) []byte {
	program, _ := os.Executable()
	b := fmt.Appendf(nil, "hatchery dump of process %d, %s, at %s\n", os.Getpid(), proctree.Plain(program), now.Format(time.RFC3339Nano))
	b = fmt.Appendf(b, "hatchery %s, %s, %s/%s, %s, boot %s\n", moduleVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, linux.Kernel(), linux.BootID())
	b = fmt.Appendf(b, "user %d, parent %d, %d processors of %d, %d goroutines\n", os.Geteuid(), os.Getppid(), runtime.GOMAXPROCS(0), runtime.NumCPU(), runtime.NumGoroutine())
	state := "open"
	if h.life.Err() != nil {
		state = "being closed, or closed"
	}
	return fmt.Appendf(b, "host %s, opened %s ago, folder %s\n", state, age(now, h.opened), proctree.Plain(h.folder.path))
}

func age(now, since time.Time) time.Duration { return now.Sub(since).Round(time.Millisecond) }

// modulePath is this module in a program's build information.
const modulePath = "github.com/hatchery-spawn/hatchery"

func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == modulePath && m.Version != "" {
			return m.Version
		}
	}
	return "(unknown)"
}
