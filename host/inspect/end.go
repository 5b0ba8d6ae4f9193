package inspect

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/hunt"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
)

// killTime is what processes have to go once they were sent SIGKILL.
const killTime = 2 * time.Second

// rounds bounds the search for what appears while something is being ended.
const rounds = 8

// reap ends what a folder records, and removes it.
func (f *Folder) reap(ctx context.Context, cfg ReapConfig) {
	if f.recorded {
		f.endAll(ctx, cfg)
		f.removeMade(cfg)
	}
	if !f.Ended() {
		return // the next time needs what is in it
	}
	f.Removed = true
	if cfg.DryRun {
		return
	}
	if err := os.RemoveAll(f.Path); err != nil {
		f.Removed, f.Error = false, err.Error()
		return
	}
	os.Remove(filepath.Dir(f.Path)) // when no other host has a folder there
}

// removeMade removes the folders that keepers have made for children.
func (f *Folder) removeMade(cfg ReapConfig) {
	for _, path := range runfolder.Records(f.Path, keeper.PlacesPrefix) {
		if cfg.DryRun {
			f.Made = append(f.Made, keeper.LeftFolders(path)...)
			continue
		}
		removed, err := keeper.RemoveLeft(path, killTime)
		f.Made = append(f.Made, removed...)
		if err != nil {
			f.Error = err.Error()
		}
	}
}

// endAll ends the targets, and what they have started meanwhile.
func (f *Folder) endAll(ctx context.Context, cfg ReapConfig) {
	for i := range rounds {
		h := hunt.Find(f.entries(), hunt.Options{})
		if i == 0 {
			for _, t := range h.Spared {
				f.Left = append(f.Left, Process{Pid: t.Pid, Name: t.Name, Mark: t.Mark, Action: ActionSpared})
			}
		}
		none := len(h.Found) == 0
		if !cfg.DryRun {
			h.End(ctx, cfg.Grace, killTime)
		}
		for _, t := range h.Found {
			p := Process{Pid: t.Pid, Name: t.Name, Mark: t.Mark, Action: t.Action, Error: t.Error}
			if cfg.DryRun {
				p.Action = ActionTerminated
			}
			f.Left = append(f.Left, p)
		}
		h.Close()
		if none || cfg.DryRun || !f.Ended() || ctx.Err() != nil {
			return
		}
	}
}

// entries returns what the records in the folder have.
func (f *Folder) entries() (all []keeper.Entry) {
	for _, path := range runfolder.Records(f.Path, keeper.RecordPrefix) {
		if r, err := keeper.ReadRecord(path); err == nil {
			all = append(all, r.Entries...)
		}
	}
	return all
}
