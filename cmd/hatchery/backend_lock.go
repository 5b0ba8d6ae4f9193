package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/pins"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/spf13/cobra"
)

// codeDiffers is the exit code of a check that found a difference.
const codeDiffers = 1

// lockFlags are the flags of backend lock.
type lockFlags struct {
	dirs                 []string
	check, prune, asJSON bool
}

func (a *app) backendLockCommand() *cobra.Command {
	var f lockFlags
	cmd := &cobra.Command{
		Use:                   "lock [--backend-dir DIR]... [--check] [--prune] [--json] [KEY...]",
		DisableFlagsInUseLine: true,
		Short:                 "pin what a backend folder holds by checksums",
		Long: `
Write the file backends.lock of a backend folder: for each plugin binary, or
for those of the given KEYs, its checksum on this platform, and what it says of
itself. From then on it is listed with its summary without being executed, and a
binary that has another checksum is not executed at all.

To ask a plugin what it is, this command starts it. Run it when you have reason
to trust what lies in the folder. The pins of other platforms are kept, and so
are comments; the file is replaced as a whole. It has one fact a line and is
meant to be kept under version control.

Without --backend-dir: every backend folder that holds something and that you
can write to.

With --check nothing is executed and nothing is written. Exit code: 1 when a
binary differs from its pin, has none, or is missing. Without it: 125 when a
binary could not be asked, in which case the others are pinned all the same.

With --json: {"folders": [{"lock", "written", "rows": [{"key", "change",
"fact", "value", "was", "reason"}]}]}.`,
		Example: `
  hatchery backend lock
  hatchery backend lock --backend-dir ./build careful
  hatchery backend lock --backend-dir ./build --check && make install`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.lock(cmd, f, args) },
	}
	cmd.Flags().StringArrayVar(&f.dirs, backendDirFlag, nil, "the folder whose lock file to write is `DIR`; may be repeated")
	cmd.Flags().BoolVar(&f.check, "check", false, "only compare, without executing or writing anything")
	cmd.Flags().BoolVar(&f.prune, "prune", false, "remove what the lock says of methods that have no binary here")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	cmd.MarkFlagDirname(backendDirFlag)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return cmd
}

// A lockedFolder is what was found, and done, in one folder.
type lockedFolder struct {
	Lock    string    `json:"lock"`    // the file
	Written bool      `json:"written"` // it was replaced
	Rows    []lockRow `json:"rows"`    // sorted by key
}

// A lockRow is one fact that changed, or a method without such.
type lockRow struct {
	Key    string `json:"key"`
	Change string `json:"change"`           // added, changed, removed, unchanged, kept, failed; of a check: differs, unpinned, missing
	Fact   string `json:"fact,omitempty"`   // what it is about: a platform, status, summary …
	Value  string `json:"value,omitempty"`  // what it is now
	Was    string `json:"was,omitempty"`    // what it was before; of a check: what is pinned
	Reason string `json:"reason,omitempty"` // for what has no fact
}

func (a *app) lock(cmd *cobra.Command, f lockFlags, args []string) error {
	if f.check && f.prune {
		return usage(cmd, "--check changes nothing, and --prune is a change: want one of them")
	}
	keys, err := parseKeys(cmd, args)
	if err != nil {
		return err
	}
	if err := foldersExist(f.dirs); err != nil {
		return err
	}
	dirs := f.dirs
	if len(dirs) == 0 {
		dirs = foldersToLock(f.check)
	}
	if len(dirs) == 0 {
		return &failure{codeUsage, errors.New("no backend folder of yours holds anything"), "name one with --" + backendDirFlag}
	}
	folders, found, failed := []lockedFolder{}, map[registry.SpawnMethodKey]bool{}, 0
	for _, dir := range dirs {
		l, err := lockFolder(cmd.Context(), dir, keys, f)
		if err != nil {
			return errors.Join(err, a.showLocks(folders, f.asJSON))
		}
		for _, r := range l.Rows {
			found[registry.SpawnMethodKey(r.Key)] = true
			failed += count(r.Change == "failed")
		}
		folders = append(folders, l)
	}
	for _, k := range keys {
		if !found[k] {
			return &failure{codeUsage, fmt.Errorf("no spawn-backend-%s in %s", k, plain(strings.Join(dirs, ", "))), "see hatchery backends --all for what there is"}
		}
	}
	if err := a.showLocks(folders, f.asJSON); err != nil {
		return err
	}
	return lockResult(folders, failed, f.check)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lockResult is the exit code.
func lockResult(folders []lockedFolder, failed int, check bool) error {
	if failed > 0 {
		return &failure{codeFailed, fmt.Errorf("not all could be looked at: %d failed", failed), ""}
	}
	for _, l := range folders {
		for _, r := range l.Rows {
			if check && r.Change != "unchanged" && r.Change != "kept" {
				return &failure{codeDiffers, fmt.Errorf("%s does not fit what lies beside it", plain(l.Lock)), "if the changes are meant, run the command without --check"}
			}
		}
	}
	return nil
}

func parseKeys(cmd *cobra.Command, args []string) ([]registry.SpawnMethodKey, error) {
	var keys []registry.SpawnMethodKey
	for _, arg := range args {
		key, err := registry.ParseKey(arg)
		if err != nil {
			return nil, usage(cmd, "%v", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// foldersToLock returns the usual folders that hold plugin binaries or a lock
// file, of those that the user can write to if that is going to happen.
func foldersToLock(check bool) []string {
	var dirs []string
	for _, dir := range host.BackendDirs(nil, os.Getenv) {
		entries, _ := host.DiscoverUnpinned(dir)
		_, err := os.Lstat(filepath.Join(dir, pins.FileName))
		if (len(entries) > 0 || err == nil) && (check || writable(dir)) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// writable tries whether a file can be made in a folder.
func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".hatchery-*")
	if err != nil {
		return false
	}
	f.Close()
	os.Remove(f.Name())
	return true
}

func (a *app) showLocks(folders []lockedFolder, asJSON bool) error {
	if asJSON {
		return a.writeJSON(struct {
			Folders []lockedFolder `json:"folders"`
		}{folders})
	}
	var b strings.Builder
	for _, l := range folders {
		l.print(&b)
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

func (l lockedFolder) print(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s\n", plain(l.Lock), map[bool]string{true: "written", false: "not changed"}[l.Written])
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, r := range l.Rows {
		text := r.Reason
		switch {
		case r.Change == "differs":
			text = r.Fact + " " + r.Value + ", pinned is " + r.Was
		case r.Fact != "" && r.Was != "" && r.Value != "":
			text = r.Fact + " " + r.Value + ", was " + r.Was
		case r.Fact != "":
			text = r.Fact + " " + r.Value + r.Was
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", r.Key, r.Change, plain(strings.ReplaceAll(text, "\n", "; ")))
	}
	w.Flush()
}
