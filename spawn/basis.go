package spawn

import (
	"os"
	"path/filepath"
	"strings"
)

// A Basis is what a plan was made from besides its Spec, as the backend found it:
// see Plan.Basis. A planner looks at files and variables by its methods, before it
// looks in any other way, and so notes them. It is for one goroutine at a time.
//
// The zero Basis says that the plan depends on the Spec alone.
type Basis struct {
	// Files are the files that were looked at.
	Files []FileState

	// Env are the variables of the backend's own environment that were looked
	// at: "NAME=value", or "NAME" for one that was not set. They count as those
	// of the host, which a child has whose Spec leaves its environment open.
	Env []string

	// Args is how many of the Spec's arguments count, the first one included: the
	// plan serves any that begin with these. 0 means that all count, and how many
	// there are.
	Args uint32
}

// maxBasis bounds what is looked at each time that a plan is used again.
const maxBasis = 256

// A FileState is what stat(2) said of a path, behind symbolic links.
type FileState struct {
	Path  string // from the root: one that is not never holds
	Found bool   // stat succeeded; all that follows is 0 otherwise

	// Device and Inode say which file it is; they are 0 where there is no such thing.
	Device, Inode uint64
	Size          int64
	// Modified and Changed are the times of the last change of the content, and of
	// anything, in ns since 1970. Changed is 0 where there is no such thing.
	Modified, Changed int64
}

// stateOf returns what there is to say of a path now.
func stateOf(path string) (FileState, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return FileState{Path: path}, nil, err
	}
	f := FileState{Path: path, Found: true, Size: info.Size(), Modified: info.ModTime().UnixNano()}
	f.identify(info)
	return f, info, nil
}

// Stat is os.Stat, and notes what it found.
func (b *Basis) Stat(path string) (os.FileInfo, error) {
	f, info, err := stateOf(path)
	b.Files = append(b.Files, f)
	return info, err
}

// Getenv is os.Getenv, and notes what it found.
func (b *Basis) Getenv(name string) string {
	value, ok := os.LookupEnv(name)
	entry := name
	if ok {
		entry += "=" + value
	}
	b.Env = append(b.Env, entry)
	return value
}

// FilesHold reports whether all files are now as they were found. Of a Basis that is too
// large it says no.
func (b *Basis) FilesHold() bool {
	if len(b.Files) > maxBasis {
		return false
	}
	for _, f := range b.Files {
		if !filepath.IsAbs(f.Path) {
			return false
		}
		if now, _, _ := stateOf(f.Path); now != f {
			return false
		}
	}
	return true
}

// EnvHolds reports whether all variables are as they were found in an environment
// that has what lookup returns: os.LookupEnv, for one. Of a Basis that is too large it
// says no.
func (b *Basis) EnvHolds(lookup func(name string) (value string, ok bool)) bool {
	if len(b.Env) > maxBasis {
		return false
	}
	for _, entry := range b.Env {
		name, value, set := strings.Cut(entry, "=")
		if now, ok := lookup(name); ok != set || now != value {
			return false
		}
	}
	return true
}
