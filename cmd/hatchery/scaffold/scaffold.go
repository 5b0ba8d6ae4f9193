package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/hatchery-spawn/hatchery/registry"
)

//go:embed templates
var templates embed.FS

// Options say what is written.
type Options struct {
	// Key is the method's name.
	Key registry.SpawnMethodKey
	// Lang is one of [Langs].
	Lang string
	// Module is the path of the Go module; empty is one of example.com.
	Module string
	// Version is the version of the framework that a Go module requires.
	// Empty, and without a Checkout, leaves it to "go get".
	Version string
	// Checkout is a checkout of the framework that a Go module is built
	// against, an absolute path; empty is the published module.
	Checkout string
}

// Langs are the languages there are.
func Langs() []string { return []string{"go", "python"} }

// Tidy reports whether the module has to be completed by "go mod tidy" before it
// can be built.
func (o Options) Tidy() bool { return o.Lang == "go" && o.Checkout == "" }

// ErrNotEmpty is the cause of an error about a folder that holds something.
var ErrNotEmpty = errors.New("it holds something already")

// Write writes the backend into the folder dir, which is made if it is not there,
// and must be empty otherwise. When it fails it may have written some of the files.
func Write(dir string, o Options) error {
	if !slices.Contains(Langs(), o.Lang) {
		return fmt.Errorf("language %q: want one of %s", o.Lang, strings.Join(Langs(), ", "))
	}
	if o.Module == "" {
		o.Module = "example.com/spawn-backend-" + string(o.Key)
	}
	if err := empty(dir); err != nil {
		return err
	}
	files, err := o.files()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := errors.Join(os.WriteFile(path, f.text, f.mode), os.Chmod(path, f.mode)); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}

// empty returns nil when nothing is lost by writing into dir.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err // it is no folder, above all
	case len(entries) > 0:
		return &fs.PathError{Op: "write to", Path: dir, Err: fmt.Errorf("%w (%s)", ErrNotEmpty, entries[0].Name())}
	}
	return nil
}

// A file is one that is to be written.
type file struct {
	name string
	text []byte
	mode os.FileMode
}

// files returns everything that is to be written.
func (o Options) files() ([]file, error) {
	from := "templates/" + o.Lang
	names, err := fs.ReadDir(templates, from)
	if err != nil {
		return nil, err
	}
	mod, sum, err := o.modules()
	if err != nil {
		return nil, err
	}
	var out []file
	for _, n := range names {
		t, err := template.ParseFS(templates, from+"/"+n.Name())
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, struct {
			Options
			Requires string
		}{o, mod}); err != nil {
			return nil, err
		}
		f := file{nameOf(n.Name(), o.Key), b.Bytes(), 0o644}
		if bytes.HasPrefix(f.text, []byte("#!")) {
			f.mode = 0o755
		}
		out = append(out, f)
	}
	if len(sum) > 0 {
		out = append(out, file{"go.sum", sum, 0o644})
	}
	return out, nil
}

// nameOf returns what a template is written as.
func nameOf(template string, key registry.SpawnMethodKey) string {
	name := strings.TrimSuffix(strings.Replace(template, "KEY", string(key), 1), ".tmpl")
	if name == "gitignore" {
		return ".gitignore" // under its own name it is not embedded
	}
	return name
}
