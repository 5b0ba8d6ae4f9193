package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A plugin is a running process that serves a method.
type plugin struct {
	key     registry.SpawnMethodKey
	proc    *pluginProcess
	client  *wire.Client  // control, by grpc
	planner *wire.Planner // Spec to Plan, by the lane
	spawner bool
}

// startPlugin starts the plugin of an entry and returns when it has said what
// it is.
func startPlugin(ctx context.Context, h *Host, e registry.Entry) (*plugin, error) {
	ours, theirs, err := lane.Pair()
	if err != nil {
		return nil, withKey(&spawn.Error{Phase: spawn.PhaseStart, Op: "lane", Err: err}, e.Key)
	}
	theirEnd := os.NewFile(uintptr(theirs), "lane")
	defer theirEnd.Close()
	conn, err := lane.Open(ours, lane.Polled)
	if err != nil {
		os.NewFile(uintptr(ours), "lane").Close()
		return nil, withKey(&spawn.Error{Phase: spawn.PhaseStart, Op: "lane", Err: err}, e.Key)
	}
	p := &plugin{key: e.Key}
	p.client, err = wire.Dial(ctx, wire.ClientConfig{
		Key:       string(e.Key),
		SocketDir: h.folder.path,
		Start: func(ctx context.Context, env []string, handshake *os.File) (wire.Process, error) {
			proc, err := startPluginProcess(ctx, h, e, env, handshake, theirEnd)
			if err != nil {
				return nil, err
			}
			p.proc = proc
			return proc, nil
		},
		StartTimeout: h.limits.Start, CallTimeout: h.limits.Call,
		LogLevel: h.cfg.LogLevel, LogWriter: h.cfg.LogWriter,
	})
	if err != nil {
		conn.Close()
		return nil, withKey(err, e.Key)
	}
	p.planner = wire.NewPlanner(string(e.Key), conn)
	p.spawner = p.client.Description().Has(wire.FeatureSpawner)
	return p, nil
}

// pluginGrace is what a plugin has to end by itself when asked. It has no
// children to look after.
const pluginGrace = time.Second

func (p *plugin) stop(ctx context.Context) error {
	err := p.client.Close(ctx, pluginGrace)
	if perr := p.planner.Close(); err == nil {
		err = perr
	}
	return err
}

// lastWordsTime bounds the wait for what a plugin that has gone has left.
const lastWordsTime = 300 * time.Millisecond

// lastWords adds to the error of a plugin that has gone how it ended and what
// it wrote last: a panic, usually.
func (p *plugin) lastWords(err error) error {
	var e *spawn.Error
	if !errors.As(err, &e) || e.Kind != spawn.ErrPluginGone {
		return err
	}
	p.ended(context.Background())
	out := *e
	if words := p.proc.Diagnose(); words != "" && !strings.Contains(out.Msg, words) {
		out.Msg += "; " + words
	}
	return &out
}

// ended waits until the process has ended, but not for ever.
func (p *plugin) ended(ctx context.Context) {
	timer := time.NewTimer(lastWordsTime)
	defer timer.Stop()
	select {
	case <-p.proc.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pluginEnv returns the environment of a plugin: the host's, and what the
// handshake needs, which wins. Nothing that belongs to another handshake, one
// of an outer program, gets through.
func pluginEnv(handshake []string) []string {
	set := map[string]bool{}
	for _, kv := range handshake {
		k, _, _ := strings.Cut(kv, "=")
		set[k] = true
	}
	env := append([]string(nil), handshake...)
	for _, kv := range os.Environ() {
		k, _, _ := strings.Cut(kv, "=")
		if !set[k] && !strings.HasPrefix(k, "PLUGIN_") {
			env = append(env, kv)
		}
	}
	return env
}
