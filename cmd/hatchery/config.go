package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
)

// A config is the configuration file.
type config struct {
	SpawnBackend string `toml:"spawn_backend"` // the key of a method
}

// configPath returns $XDG_CONFIG_HOME/hatchery/config.toml, by default below
// ~/.config. It is empty when there is no home either.
func configPath(env func(string) string) string {
	dir := env("XDG_CONFIG_HOME")
	if home := env("HOME"); !filepath.IsAbs(dir) && filepath.IsAbs(home) {
		dir = filepath.Join(home, ".config")
	}
	if !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Join(dir, "hatchery", "config.toml")
}

// readConfig reads the file. One that is not there is empty; one that is
// wrong, a key that is not known included, is an error that names the line.
func readConfig(path string) (config, error) {
	var c config
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR): // a home of /dev/null, for one
		return c, nil
	case err != nil:
		return c, &failure{codeUsage, fmt.Errorf("configuration file: %w", err), ""}
	}
	dec := toml.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return config{}, badConfig(fmt.Errorf("%s%w", path, located(err)))
	}
	return c, nil
}

// outOfReach returns why nobody can tell whether the file is there: a folder
// above it is another user's, as after a change of the user that kept $HOME.
func outOfReach(path string) error {
	if path == "" {
		return nil
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

func badConfig(err error) error {
	return &failure{codeUsage, fmt.Errorf("configuration file: %w", err), `want lines like: spawn_backend = "forkexec"`}
}

// located puts the line in front of an error of the decoder, and says which
// key it did not know.
func located(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		row, _ := strict.Errors[0].Position()
		return fmt.Errorf(":%d: unknown key %q", row, strings.Join(strict.Errors[0].Key(), "."))
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		row, column := de.Position()
		return fmt.Errorf(":%d:%d: %w", row, column, err)
	}
	return fmt.Errorf(": %w", err)
}
