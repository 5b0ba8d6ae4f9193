package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/pins"
	"github.com/hatchery-spawn/hatchery/registry"
)

// platform is how a lock file names this one.
func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// A plugin is a plugin binary that is to be pinned.
type plugin struct {
	entry registry.Entry // with the checksum that the file has
	fact  string         // of its pin: the platform, or pins.Any
	err   error          // why it cannot be
}

// A locking is the work on one folder.
type locking struct {
	dir     string
	keys    []registry.SpawnMethodKey // empty: all
	lock    *pins.Lock
	plugins []plugin
	refused []host.Skipped // files that claim a method and may not be executed
	rows    []lockRow
}

// lockFolder brings the lock file of a folder up to date, or compares it.
func lockFolder(ctx context.Context, dir string, keys []registry.SpawnMethodKey, f lockFlags) (lockedFolder, error) {
	l := &locking{keys: keys}
	if err := l.look(ctx, dir); err != nil {
		return lockedFolder{}, err
	}
	out := lockedFolder{Lock: filepath.Join(l.dir, pins.FileName)}
	before := l.lock.Facts()
	if f.check {
		l.compare()
	} else {
		l.describe(ctx)
		l.update(before)
	}
	l.absent(f)
	slices.SortStableFunc(l.rows, func(a, b lockRow) int { return strings.Compare(a.Key, b.Key) })
	out.Rows = l.rows
	if same(before, l.lock.Facts()) {
		return out, nil
	}
	out.Written = true
	return out, l.write(out.Lock)
}

// look reads the folder and its lock file.
func (l *locking) look(ctx context.Context, dir string) error {
	path, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	l.dir = path
	entries, skipped := host.DiscoverUnpinned(path)
	for _, s := range skipped {
		switch {
		case s.Path == path:
			return refusedFolder(s)
		case s.Key != "" && l.wants(s.Key):
			l.refused = append(l.refused, s)
		}
	}
	if l.lock, err = host.ReadLock(path); err != nil {
		return &failure{codeFailed, err, "correct it, or remove it to begin anew"}
	}
	for _, e := range entries {
		if !l.wants(e.Key) {
			continue
		}
		p := plugin{entry: e, fact: platform()}
		var script bool
		if p.entry.Pin, script, p.err = host.Checksum(ctx, e.Path); script {
			p.fact = pins.Any
		}
		l.plugins = append(l.plugins, p)
	}
	return nil
}

func (l *locking) wants(key registry.SpawnMethodKey) bool {
	return len(l.keys) == 0 || slices.Contains(l.keys, key)
}

// describe asks each plugin what it is. It has to be the file whose checksum
// was taken.
func (l *locking) describe(ctx context.Context) {
	r := new(registry.Registry)
	first := registry.SpawnMethodKey("")
	for i := range l.plugins {
		p := &l.plugins[i]
		if p.err == nil {
			p.entry.PinnedBy = "this command"
			p.err = r.Add(p.entry)
		}
		if p.err == nil && first == "" {
			first = p.entry.Key
		}
	}
	if first == "" {
		return
	}
	h, err := host.Open(host.Config{Registry: r, Method: first})
	var all sync.WaitGroup
	for i := range l.plugins {
		p := &l.plugins[i]
		switch {
		case p.err != nil:
		case err != nil:
			p.err = err
		default:
			all.Go(func() { p.entry, p.err = h.Describe(ctx, string(p.entry.Key)) })
		}
	}
	all.Wait()
	if err == nil {
		h.Close() // what it could not end is the plugin's fault and has been said
	}
}

// update puts what was found into the lock.
func (l *locking) update(before []pins.Fact) {
	for _, p := range l.plugins {
		e := p.entry
		if p.err != nil {
			l.row(e.Key, "failed", p.err.Error())
			continue
		}
		if p.fact == pins.Any { // a pin of this platform would come first
			l.lock.Set(e.Key, platform(), "")
		}
		for _, f := range [][2]string{
			{p.fact, string(e.Pin)}, {pins.Status, string(e.Status)}, {pins.Summary, e.Summary},
			{pins.Reason, e.Reason}, {pins.Alternative, e.Alternative}, {pins.Analysis, e.Analysis}, {pins.Scenario, e.Scenario},
		} {
			if err := l.lock.Set(e.Key, f[0], f[1]); err != nil {
				l.row(e.Key, "failed", err.Error())
			}
		}
		rows := changed(e.Key, before, l.lock.Facts())
		if l.rows = append(l.rows, rows...); len(rows) == 0 {
			l.row(e.Key, "unchanged", "")
		}
	}
}

// compare says of each plugin whether it has the checksum that it should have.
func (l *locking) compare() {
	for _, p := range l.plugins {
		e := p.entry
		pin, ok := l.lock.Pin(e.Key, platform())
		switch {
		case p.err != nil:
			l.row(e.Key, "failed", p.err.Error())
		case !ok:
			l.row(e.Key, "unpinned", "it has no checksum for "+platform())
		case pin.Value != string(e.Pin):
			l.rows = append(l.rows, lockRow{Key: string(e.Key), Change: "differs", Fact: pin.Name, Value: string(e.Pin), Was: pin.Value})
		default:
			l.row(e.Key, "unchanged", "")
		}
	}
}

// absent sees to the methods that the lock names and the folder does not have,
// or not in a form that could be executed.
func (l *locking) absent(f lockFlags) {
	here := map[registry.SpawnMethodKey]bool{}
	for _, p := range l.plugins {
		here[p.entry.Key] = true
	}
	for _, s := range l.refused {
		if !here[s.Key] {
			l.row(s.Key, "failed", s.Path+": "+s.Reason)
		}
	}
	for _, s := range l.refused {
		here[s.Key] = true
	}
	for _, key := range l.lock.Keys() {
		if here[key] || !l.wants(key) {
			continue
		}
		_, pinned := l.lock.Pin(key, platform())
		switch {
		case f.prune:
			before := l.lock.Facts()
			l.lock.Drop(key)
			l.rows = append(l.rows, changed(key, before, l.lock.Facts())...)
		case f.check && pinned:
			l.row(key, "missing", "there is no spawn-backend-"+string(key))
		default:
			l.row(key, "kept", "there is no spawn-backend-"+string(key)+" here; --prune removes it")
		}
	}
}

func (l *locking) row(key registry.SpawnMethodKey, change, reason string) {
	l.rows = append(l.rows, lockRow{Key: string(key), Change: change, Reason: reason})
}

// changed returns how the facts about a method differ.
func changed(key registry.SpawnMethodKey, before, after []pins.Fact) (rows []lockRow) {
	find := func(facts []pins.Fact, name string) string {
		for _, f := range facts {
			if f.Key == key && f.Name == name {
				return f.Value
			}
		}
		return ""
	}
	for _, f := range after {
		switch was := find(before, f.Name); {
		case f.Key != key || was == f.Value:
		case was == "":
			rows = append(rows, lockRow{Key: string(key), Change: "added", Fact: f.Name, Value: f.Value})
		default:
			rows = append(rows, lockRow{Key: string(key), Change: "changed", Fact: f.Name, Value: f.Value, Was: was})
		}
	}
	for _, f := range before {
		if f.Key == key && find(after, f.Name) == "" {
			rows = append(rows, lockRow{Key: string(key), Change: "removed", Fact: f.Name, Was: f.Value})
		}
	}
	return rows
}

func same(a, b []pins.Fact) bool {
	return slices.EqualFunc(a, b, func(a, b pins.Fact) bool { return a.String() == b.String() })
}

// lockHeader is the beginning of a new lock file.
const lockHeader = `# Checksums and descriptions of the spawn backends in this folder, one fact a
# line. Written by: hatchery backend lock

`

// write replaces the lock file as a whole; a link stays one. Its mode does not
// depend on the umask: nobody else may write to it.
func (l *locking) write(path string) error {
	text := l.lock.Bytes()
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		text = append([]byte(lockHeader), text...)
	}
	path = followLinks(path)
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	err := writeTo(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, text)
	if err == nil {
		err = os.Chmod(temporary, 0o644)
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
		return &failure{codeFailed, err, "the lock file is as it was"}
	}
	return nil
}
