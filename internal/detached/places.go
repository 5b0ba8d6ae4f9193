package detached

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// prefix is what the names of folders begin with. Those of hosts begin with a
// number.
const prefix = "detached-"

// List returns the records of the children that there are in the places where
// this user's hosts of this environment, or of a login, make their folders, the
// oldest first. Folders that are not the user's own and closed to others are left
// out. Those without a sound record are unnamed: of a child that is being detached
// just now, or whose keeper was killed when it was. Those of a later version are
// left out.
func List() (list []Record, unnamed []string) {
	uid := os.Geteuid()
	bases := append(runfolder.Bases(uid), filepath.Join("/run/user", strconv.Itoa(uid), "hatchery"))
	slices.Sort(bases)
	for _, base := range slices.Compact(bases) {
		if runfolder.CheckPrivate(base, uid) != nil {
			continue
		}
		entries, _ := os.ReadDir(base)
		for _, e := range entries {
			dir := filepath.Join(base, e.Name())
			if !strings.HasPrefix(e.Name(), prefix) || runfolder.CheckPrivate(dir, uid) != nil {
				continue
			}
			if r, err := Read(dir); err == nil {
				list = append(list, r)
			} else if !errors.Is(err, spawn.ErrVersion) {
				unnamed = append(unnamed, dir)
			}
		}
	}
	slices.SortFunc(list, func(a, b Record) int { return a.Since.Compare(b.Since) })
	return list, unnamed
}
