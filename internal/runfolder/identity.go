package runfolder

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// Names of what is in a runtime folder.
const (
	identityName = "host.json"
	controlName  = "control"
)

// Version is the version of host.json.
const Version = 1

// An Identity says whose runtime folder it is.
type Identity struct {
	Version int `json:"version"`
	Process
	Boot    string    `json:"boot_id"`
	Space   string    `json:"pid_space"` // the namespaces in which pids and times are meant
	Nonce   string    `json:"nonce"`
	Program string    `json:"program"`
	Since   time.Time `json:"since"`
	Keepers []Process `json:"keepers"` // all there were, in order
}

// A Process is a pid with what tells it from the next process that has it.
type Process struct {
	Pid   int    `json:"pid"`
	Start uint64 `json:"start_time"` // clock ticks since boot
}

// New returns the identity of this process, with no keepers.
func New() Identity {
	nonce := make([]byte, 16)
	rand.Read(nonce) // never fails
	program, _ := os.Executable()
	self, _ := ProcessOf(os.Getpid())
	return Identity{
		Version: Version, Process: self, Boot: linux.BootID(), Space: linux.PidSpace(),
		Nonce: hex.EncodeToString(nonce), Program: program, Since: time.Now().UTC(), Keepers: []Process{},
	}
}

// ProcessOf returns the process that has a pid now. It reports false when there
// is none, or only a zombie.
func ProcessOf(pid int) (Process, bool) {
	s, err := linux.ReadStat(pid)
	return Process{pid, s.StartTime}, err == nil && s.State != 'Z' && s.State != 'X'
}

// Write writes the identity into a runtime folder, in the place of the one
// that is there.
func (id Identity) Write(dir string) error {
	b, err := json.Marshal(id)
	if err != nil {
		return err
	}
	path, b := filepath.Join(dir, identityName), append(b, '\n')
	// To replace a file costs several file systems a flush: the first is new.
	err = writeNew(path, b)
	if errors.Is(err, fs.ErrExist) {
		os.Remove(path + ".new")
		if err = writeNew(path+".new", b); err == nil {
			err = os.Rename(path+".new", path)
		}
	}
	return err
}

func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// maxIdentity is more than any identity has.
const maxIdentity = 1 << 20

// Read reads the identity in a runtime folder. The error matches fs.ErrNotExist
// when there is none.
func Read(dir string) (id Identity, err error) {
	path := filepath.Join(dir, identityName)
	st, err := os.Lstat(path)
	if err != nil {
		return id, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxIdentity {
		return id, &os.PathError{Op: "read", Path: path, Err: os.ErrInvalid}
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &id)
	}
	if err == nil && (id.Version != Version || id.Pid <= 0 || id.Boot == "") {
		err = &os.PathError{Op: "read", Path: path, Err: os.ErrInvalid}
	}
	return id, err
}

// Here reports whether the pids in the identity are meant in the namespaces of
// this process. Where they are not, nothing can be said of them.
func (id Identity) Here() bool { return id.Space == linux.PidSpace() }

// OtherBoot reports whether the identity is of an earlier start of the system:
// then nothing of it is left.
func (id Identity) OtherBoot() bool { return id.Boot != linux.BootID() }

// Alive reports whether the process is there: the very one, and no zombie. It
// says nothing unless Here is true and OtherBoot false.
func (p Process) Alive() bool {
	now, ok := ProcessOf(p.Pid)
	return ok && p.Pid > 0 && now.Start == p.Start
}

// Control returns the path of the control socket of a runtime folder.
func Control(dir string) string { return filepath.Join(dir, controlName) }
