package table

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/pelletier/go-toml/v2"
)

// maxFile is how large a file may be, in bytes.
const maxFile = 1 << 20

// Read reads the table of a file. Relative folders in it are below that of the
// file. checkMethod says what is wrong with the key of a spawn method. Of what is
// wrong in the file the error is an [*Error], and of a file that cannot be read a
// [*spawn.Error].
func Read(path string, checkMethod func(key string) error) (*Table, error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() { // a pipe could keep its reader for ever
		return nil, &spawn.Error{Op: "service table", Path: path, Errno: syscall.EINVAL, Msg: "it is no regular file: want one, which can be read again"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &spawn.Error{Op: "service table", Err: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, &spawn.Error{Op: "service table", Err: err}
	case len(text) > maxFile:
		return nil, &spawn.Error{Op: "service table", Path: path, Errno: syscall.EFBIG, Msg: fmt.Sprintf("more than %d bytes", maxFile)}
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, &spawn.Error{Op: "service table", Err: err}
	}
	return parse(path, text, filepath.Dir(whole), checkMethod)
}

// parse parses the text of a file that is in the folder dir.
func parse(path string, text []byte, dir string, checkMethod func(string) error) (*Table, error) {
	var whole map[string]any
	if err := toml.Unmarshal(text, &whole); err != nil { // the decoder knows what is said twice
		return nil, located(path, err)
	}
	r := &reader{index: newIndex(text), dir: dir, checkMethod: checkMethod, table: &Table{}}
	r.tables(whole)
	if len(r.problems) == 0 {
		r.checkDependencies()
	}
	if err := r.problems.err(path); err != nil {
		return nil, err
	}
	return r.table, nil
}

// located returns an error of the decoder as one of a table.
func located(path string, err error) error {
	p := Problem{Line: 1, Msg: strings.TrimPrefix(err.Error(), "toml: ")}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		p.Line, _ = de.Position()
	}
	return &Error{path, []Problem{p}}
}

// A reader makes a table of what the decoder has read.
type reader struct {
	*index
	problems
	dir         string
	checkMethod func(string) error
	table       *Table
}

const example = `[service.NAME] with command = ["PROGRAM", "ARG"]`

func (r *reader) tables(whole map[string]any) {
	for _, k := range r.keys {
		if len(k) == 1 && k[0] != "service" && k[0] != "registrar" && k[0] != "network" {
			r.add(r.at(k[0]), "", "", "no key %q here: want %s, or [registrar]", k[0], example)
		}
	}
	r.registrar(whole["registrar"])
	services, ok := whole["service"].(map[string]any)
	switch {
	case whole["service"] == nil || ok && len(services) == 0:
		r.add(r.at("service"), "", "", "there is no service: want %s", example)
		return
	case !ok:
		r.add(r.at("service"), "", "", "service is no table: want %s", example)
		return
	}
	for _, name := range r.below("service") {
		r.service(name, services[name])
	}
}

// registrar reads the table of the registrar.
func (r *reader) registrar(v any) {
	if v == nil {
		return
	}
	fields, ok := v.(map[string]any)
	if !ok {
		r.add(r.at("registrar"), "", "", `registrar is no table: want [registrar], and in it bind = ["/ip4/127.0.0.1/tcp/1616"]`)
		return
	}
	f := &fieldSet{reader: r, key: []string{"registrar"}, values: fields}
	r.table.Registrar = true
	r.table.Registry = f.addresses("bind", registrarAt)
	f.unknown()
}
