//go:build unix

package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// denied says why whoever has these credentials, or this process if there are none, may
// not execute a file, as far as modes tell it: a folder on the way to it is closed, or
// the file itself. It is empty when they do not.
func denied(path string, c *spawn.Credential) string {
	who := userOf(c)
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if why := who.closed(real); why != "" {
			return why
		}
	}
	return who.closed(path) // a link may be in a closed folder
}

// A user is whose rights are looked at.
type user struct {
	id     uint32
	groups []uint32
}

func userOf(c *spawn.Credential) user {
	u := user{id: uint32(os.Geteuid()), groups: []uint32{uint32(os.Getegid())}}
	own, _ := os.Getgroups()
	if c != nil {
		u = user{id: c.UID, groups: append([]uint32{c.GID}, c.Groups...)}
		if !c.KeepGroups {
			own = nil
		}
	}
	for _, g := range own {
		u.groups = append(u.groups, uint32(g))
	}
	return u
}

// closed looks at each folder of an absolute path, and at the file.
func (u user) closed(path string) string {
	for at := 1; at <= len(path); at++ {
		if at < len(path) && path[at] != '/' {
			continue
		}
		name := path[:at]
		st, err := os.Stat(name)
		switch {
		case err != nil:
			return ""
		case u.mayExecute(st):
		case st.IsDir() && at < len(path):
			return fmt.Sprintf("the folder %s is closed to user %d: its mode is %#o", name, u.id, st.Mode().Perm())
		default:
			return fmt.Sprintf("user %d may not execute %s: its mode is %#o", u.id, strings.TrimSuffix(name, "/"), st.Mode().Perm())
		}
	}
	return ""
}

// mayExecute reports whether the mode lets u execute a file, or enter a folder.
func (u user) mayExecute(st os.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	mode := st.Mode().Perm()
	switch {
	case !ok:
		return true
	case u.id == 0:
		return st.IsDir() || mode&0o111 != 0
	case sys.Uid == u.id:
		return mode&0o100 != 0
	case slices.Contains(u.groups, sys.Gid):
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}
