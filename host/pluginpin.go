package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/host/pins"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Checksum returns the checksum of a plugin binary, for who pins it, and
// whether it is a script, which is the same on every platform. The file is
// checked as before its execution, which it is not.
func Checksum(ctx context.Context, path string) (pin registry.Pin, script bool, err error) {
	f, err := openTrusted(path, executable)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	var head bytes.Buffer
	if pin, err = checksum(ctx, f, &head); err != nil {
		return "", false, readError(path, err)
	}
	return pin, bytes.HasPrefix(head.Bytes(), []byte("#!")), nil
}

// checksum reads all of f from its beginning, and puts the first piece of it
// into head. It stops when ctx ends: a file can be as long as somebody likes.
func checksum(ctx context.Context, f *os.File, head io.Writer) (registry.Pin, error) {
	sum, buf, from := sha256.New(), make([]byte, 1<<17), int64(0)
	for {
		n, err := f.ReadAt(buf, from)
		sum.Write(buf[:n])
		if from == 0 && head != nil {
			head.Write(buf[:n])
		}
		from += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return registry.PinOf([sha256.Size]byte(sum.Sum(nil))), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		}
	}
}

// maxScript is the size of the largest script that can be pinned, in bytes: it
// is held in memory.
const maxScript = 64 << 20

// checkPin compares the file with its pin. A script is read once more by its
// interpreter, so it is copied: what is executed is the copy that was compared,
// whatever is written to the file. The kernel sees to that for a binary.
func (p *pluginProgram) checkPin(ctx context.Context, e registry.Entry) error {
	if !p.script {
		pin, err := checksum(ctx, p.file, nil)
		if err != nil {
			return readError(e.Path, err)
		}
		return comparePin(e, pin)
	}
	text, err := io.ReadAll(io.NewSectionReader(p.file, 0, maxScript+1))
	switch {
	case err != nil:
		return readError(e.Path, err)
	case len(text) > maxScript:
		return untrusted(e.Path, fmt.Sprintf("it is pinned, and larger than a pinned script can be (%d MiB)", maxScript>>20))
	}
	if err := comparePin(e, registry.PinOf(sha256.Sum256(text))); err != nil || !byDescriptor {
		return err
	}
	fd, err := linux.SealedMemfd(filepath.Base(e.Path), text)
	if err != nil {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "plugin", Path: e.Path, Err: err, Msg: "copy the pinned script"}
	}
	p.file.Close()
	p.file = os.NewFile(uintptr(fd), e.Path)
	return nil
}

// comparePin refuses a file that is not the one that was pinned.
func comparePin(e registry.Entry, got registry.Pin) error {
	if got == e.Pin {
		return nil
	}
	by, fix := e.PinnedBy, ""
	if by == "" {
		by = "the program that registered it"
	}
	if file, _, _ := strings.Cut(filepath.Base(by), ":"); file == pins.FileName {
		fix = "; if the change is meant, run: " + lockCommand(filepath.Dir(by), e.Key)
	}
	return untrusted(e.Path, fmt.Sprintf("its checksum is %s, but %s wants %s%s", got, by, e.Pin, fix))
}

// lockCommand is the command that makes the lock of a folder fit a plugin.
func lockCommand(dir string, key registry.SpawnMethodKey) string {
	return fmt.Sprintf("hatchery backend lock --backend-dir %s %s", shellWord(dir), key)
}

// shellWord quotes a path for a shell, if it has to be.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r == '/' || r == '.' || r == '-' || r == '_' || r == '+' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	for _, r := range s {
		if !strconv.IsPrint(r) { // nobody will type it
			return "DIR"
		}
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
