package detached

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Version is the version of detached.json, of the note of the exit, and of the
// conversation with the keeper: whoever adopts a child may be another version of the
// program than its keeper is. It grows when one of them changes its meaning.
const Version = 1

const recordName = "detached.json"

// A Record says who a detached child and its keeper are.
type Record struct {
	Version int               `json:"version"`
	Nonce   string            `json:"nonce"`
	Boot    string            `json:"boot_id"`
	Space   string            `json:"pid_space"` // the namespaces in which pids and times are meant
	Keeper  runfolder.Process `json:"keeper"`
	Child   runfolder.Process `json:"child"` // start time 0: it had ended before it was looked at
	Name    string            `json:"name"`
	Program string            `json:"program"`
	Method  string            `json:"method"`
	Since   time.Time         `json:"since"`
	Keep    bool              `json:"keep_orphans"`

	Dir string `json:"-"` // the folder
}

// New returns a record with a nonce, and nothing of child and keeper.
func New() Record {
	nonce := make([]byte, 16)
	rand.Read(nonce) // never fails
	return Record{
		Version: Version, Nonce: hex.EncodeToString(nonce), Boot: linux.BootID(), Space: linux.PidSpace(), Since: time.Now().UTC(),
	}
}

// FolderName returns the name that the folder should have.
func (r Record) FolderName() string { return prefix + r.Nonce[:16] }

// Write writes the record into its folder, whole or not at all.
func (r Record) Write() error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	path := filepath.Join(r.Dir, recordName)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Chmod(0o600), f.Close()); err != nil { // whatever the umask is
		return err
	}
	return os.Rename(path+".new", path)
}

// maxRecord is more than any record has.
const maxRecord = 1 << 20

// Read reads the record in a folder, which must be the user's own and closed to
// others. The error matches fs.ErrNotExist when there is no folder, or no record
// in it, os.ErrInvalid when it is none, and spawn.ErrVersion when it is of another
// version.
func Read(dir string) (r Record, err error) {
	if err := runfolder.CheckPrivate(dir, os.Geteuid()); err != nil {
		return r, err
	}
	path := filepath.Join(dir, recordName)
	st, err := os.Lstat(path)
	if err != nil {
		return r, err
	}
	invalid := &fs.PathError{Op: "read", Path: path, Err: os.ErrInvalid}
	if !st.Mode().IsRegular() || st.Size() > maxRecord {
		return r, invalid
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if json.Unmarshal(b, &r) != nil {
		return Record{}, invalid
	}
	if r.Version > Version {
		return Record{}, &spawn.Error{Kind: spawn.ErrVersion, Op: "read", Path: path, Msg: fmt.Sprintf("version %d, and this program knows %d: adopt it by a newer one", r.Version, Version)}
	}
	if !r.sound() {
		return Record{}, invalid
	}
	r.Dir = dir
	return r, nil
}

func (r Record) sound() bool {
	return r.Version == Version && isNonce(r.Nonce) && r.Boot != "" && r.Keeper.Pid > 0 && r.Keeper.Start > 0
}

func isNonce(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}
