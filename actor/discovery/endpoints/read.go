package endpoints

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/pelletier/go-toml/v2"
)

// maxFile is how large a file may be, in bytes.
const maxFile = 1 << 20

// ReadFile reads the table of a file. The error is a *[spawn.Error]: of what is
// wrong in the file, with EINVAL, its Path is the file's and its Msg begins with
// the line.
func ReadFile(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &spawn.Error{Op: "endpoint table", Err: err}
	}
	defer f.Close()
	return Read(path, f)
}

// Read reads a table from r. The path is for errors.
func Read(path string, r io.Reader) (*Table, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, &spawn.Error{Op: "endpoint table", Err: err}
	case len(text) > maxFile:
		return nil, &spawn.Error{Op: "endpoint table", Path: path, Errno: syscall.EFBIG, Msg: fmt.Sprintf("more than %d bytes", maxFile)}
	}
	t, err := Parse(text)
	if err != nil {
		return nil, &spawn.Error{Op: "endpoint table", Path: path, Errno: syscall.EINVAL, Msg: err.Error()}
	}
	return t, nil
}

// Parse parses a table. The text of the error begins with the line: "line 3: ".
func Parse(text []byte) (*Table, error) {
	var whole map[string]any
	if err := toml.Unmarshal(text, &whole); err != nil { // the decoder knows what is said twice
		return nil, located(err)
	}
	if network, ok := whole[tableName]; !ok {
		return nil, errors.New("line 1: there is no table [network]: want one, with lines like: " + example)
	} else if _, ok := network.(map[string]any); !ok {
		return nil, errors.New("line 1: network is no table: want [network], and then lines like: " + example)
	}
	return walk(text)
}

const (
	tableName = "network"
	example   = `logger = ["/ip4/127.0.0.1/tcp/1616", ["127.0.0.1", 1617]]`
)

// located returns an error of the decoder with its line in front.
func located(err error) error {
	text := strings.TrimPrefix(err.Error(), "toml: ")
	var de *toml.DecodeError
	if errors.As(err, &de) {
		row, column := de.Position()
		return fmt.Errorf("line %d, column %d: %s", row, column, text)
	}
	return fmt.Errorf("line 1: %s", text)
}
