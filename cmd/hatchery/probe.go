package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

func (a *app) probeCommand() *cobra.Command {
	var asJSON bool
	var dirs []string
	cmd := &cobra.Command{
		Use:   "probe [KEY] [--json]",
		Short: "try out which methods work here",
		Long: `
Try a method out, or every method, plugin binaries included: its plugin is
started and asked to find out by trying. Each works, or is blocked, unavailable
(with what is missing here) or failed.

Exit code: 0 when all that are not blocked work; 121 when one is unavailable,
125 when one failed; 120 when KEY is blocked.

Asked for a KEY that can do several things, such as isolate, it tries each of
them and says what works here.

With --json: {"methods": [{"key", "result", "reason", "features"}]}.`,
		Example: `
  hatchery probe
  hatchery probe forkexec && echo it works`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(cmd, "want one key or none, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.probe(cmd, dirs, args, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringArrayVar(&dirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	cmd.ValidArgsFunction = completeKey(&dirs)
	return cmd
}

// A probed is the result for one method.
type probed struct {
	Key    string `json:"key"`
	Result string `json:"result"` // works, blocked, unavailable or failed
	Reason string `json:"reason"` // empty when it works

	// Features are those of a method that has some, when it was the only one
	// that was asked for.
	Features []probedFeature `json:"features,omitempty"`
}

// A probedFeature is the result for one of the things a method can do.
type probedFeature struct {
	Name   string `json:"name"`
	Works  bool   `json:"works"`
	Reason string `json:"reason"`
	Note   string `json:"note,omitempty"` // by which of several ways it works
}

// features tries out what a built-in method can do beside what it needs.
func features(ctx context.Context, e registry.Entry) []probedFeature {
	if e.Key != isolate.Key || !e.Builtin() {
		return nil
	}
	var all []probedFeature
	for _, f := range isolate.Features(ctx) {
		all = append(all, probedFeature{f.Name, f.Reason == "", f.Reason, f.Note})
	}
	return all
}

func (a *app) probe(cmd *cobra.Command, dirs, args []string, asJSON bool) error {
	m, err := findMethods(dirs)
	if err != nil {
		return err
	}
	keys := m.registry.Keys()
	var e registry.Entry
	if len(args) == 1 {
		if e, err = m.lookup(args[0]); err != nil {
			return err
		}
		keys = []registry.SpawnMethodKey{e.Key}
	}
	h, err := host.Open(host.Config{Registry: m.registry})
	if err != nil {
		return err
	}
	results, codes := probeAll(cmd.Context(), h, keys)
	if err := h.Close(); err != nil {
		a.say("warning: %v", err)
	}
	if len(args) == 1 {
		results[0].Features = features(cmd.Context(), e)
	}
	if asJSON {
		err = a.writeJSON(struct {
			Methods []probed `json:"methods"`
		}{results})
	} else {
		err = printProbed(a.stdout, results)
	}
	if err != nil {
		return err
	}
	if code := worst(codes, len(args) == 1); code != 0 {
		return &failure{code, nil, ""}
	}
	return nil
}

// probeAll probes all at the same time: one that hangs has the same deadline
// as the others.
func probeAll(ctx context.Context, h *host.Host, keys []registry.SpawnMethodKey) ([]probed, []int) {
	results, codes := make([]probed, len(keys)), make([]int, len(keys))
	var all sync.WaitGroup
	for i, k := range keys {
		all.Go(func() { results[i], codes[i] = resultOf(string(k), h.Probe(ctx, string(k))) })
	}
	all.Wait()
	return results, codes
}

// resultOf names the result of a probe.
func resultOf(key string, err error) (probed, int) {
	if err == nil {
		return probed{Key: key, Result: "works"}, 0
	}
	reason := err.Error()
	var e *spawn.Error
	errors.As(err, &e)
	switch code := failureOf(err).code; code {
	case codeBlocked: // e.Blocked is there: see failureOf
		return probed{Key: key, Result: "blocked", Reason: e.Blocked.Reason + "; use " + e.Blocked.Alternative + " instead"}, code
	case codeUnavailable:
		if e.Msg != "" {
			reason = e.Msg
		}
		return probed{Key: key, Result: "unavailable", Reason: reason}, code
	}
	return probed{Key: key, Result: "failed", Reason: reason}, codeFailed
}

// worst returns the exit code. That a method is blocked is what is expected of
// it, unless it was the one that was asked for.
func worst(codes []int, one bool) int {
	code := 0
	for _, c := range codes {
		if c != codeBlocked || one {
			code = max(code, c)
		}
	}
	return code
}

func printProbed(out io.Writer, results []probed) error {
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%-14s%s", r.Key, r.Result)
		if r.Reason != "" {
			fmt.Fprintf(&b, ": %s", oneLine(r.Reason))
		}
		b.WriteByte('\n')
		for i, f := range r.Features {
			switch {
			case f.Works && f.Note != "":
				fmt.Fprintf(&b, "  %-17s works: %s\n", f.Name, oneLine(f.Note))
			case f.Works:
				fmt.Fprintf(&b, "  %-17s works\n", f.Name)
			case i > 0 && f.Reason == r.Features[0].Reason:
				fmt.Fprintf(&b, "  %-17s does not work either\n", f.Name)
			default:
				fmt.Fprintf(&b, "  %-17s does not work: %s\n", f.Name, oneLine(f.Reason))
			}
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
