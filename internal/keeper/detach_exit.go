//go:build unix

package keeper

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	exitName  = "exit"
	exitMagic = "hatchery exit 1 "
	nonceSize = 32
	// exitFileSize is that of magic, nonce and the record in hexadecimal,
	// separated by a space and ended by a line feed.
	exitFileSize = len(exitMagic) + nonceSize + 1 + 2*exitSize + 1
)

// controlPath is where the keeper of a detached child listens.
func controlPath(folder string) string { return folder + "/control" }

// An exitNote is the file that will say how a detached child has ended. It is
// there, full of blanks and under another name, before the child is: a disk that
// is full by then is no obstacle.
type exitNote struct {
	folder, nonce string
	file          *os.File
}

func newExitNote(folder, nonce string) (*exitNote, error) {
	path := folder + "/" + exitName + ".new"
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(strings.Repeat(" ", exitFileSize))
	if err = errors.Join(err, f.Chmod(0o600)); err != nil { // whatever the umask is
		f.Close()
		return nil, err
	}
	return &exitNote{folder, nonce, f}, nil
}

// write writes the exit, which is seen whole or not at all. Whoever removes the
// folder does not want to know it.
func (n *exitNote) write(record []byte) {
	text := exitMagic + n.nonce + " " + hex.EncodeToString(record) + "\n"
	if _, err := n.file.WriteAt([]byte(text), 0); err == nil {
		os.Rename(n.folder+"/"+exitName+".new", n.folder+"/"+exitName)
	}
	n.close()
}

func (n *exitNote) close() { n.file.Close() }

// ReadExit reads how a detached child has ended from its folder. The error
// matches fs.ErrNotExist when that is not known there, and os.ErrInvalid when
// what is there is no such note, or that of another child.
func ReadExit(folder, nonce string) (spawn.ExitStatus, error) {
	path := folder + "/" + exitName
	invalid := &fs.PathError{Op: "read", Path: path, Err: os.ErrInvalid}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return spawn.ExitStatus{}, invalid
	}
	if err != nil {
		return spawn.ExitStatus{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() != int64(exitFileSize) {
		return spawn.ExitStatus{}, invalid
	}
	b := make([]byte, exitFileSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return spawn.ExitStatus{}, invalid
	}
	text, ok := strings.CutPrefix(string(b), exitMagic+nonce+" ")
	record, err := hex.DecodeString(strings.TrimSuffix(text, "\n"))
	if !ok || err != nil || len(record) != exitSize {
		return spawn.ExitStatus{}, invalid
	}
	e := parseExit(record)
	if e.Status.Source == spawn.FromKernel && e.Status.Code < 0 && e.Status.Signal == 0 {
		return spawn.ExitStatus{}, invalid // neither an exit nor a signal
	}
	return e.Status, nil
}
