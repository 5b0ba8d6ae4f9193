package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

// backendDirFlag names folders with plugin binaries.
const backendDirFlag = "backend-dir"

// methods are the methods there are: the built-in ones, and what the backend
// folders hold.
type methods struct {
	registry *registry.Registry
	dirs     []string // that were looked into, whether they exist or not
	skipped  []host.Skipped
}

// findMethods looks for methods. A folder that a flag names must be one that
// can be used.
func findMethods(flagDirs []string) (*methods, error) {
	m, err := lookAround(flagDirs)
	if err != nil {
		return nil, err
	}
	for _, s := range m.refused(flagDirs) {
		return nil, refusedFolder(s)
	}
	return m, nil
}

// lookAround is findMethods for who shows what was refused, and why.
func lookAround(flagDirs []string) (*methods, error) {
	if err := foldersExist(flagDirs); err != nil {
		return nil, err
	}
	r, err := registry.New(backends.Builtin()...)
	if err != nil {
		return nil, err
	}
	m := &methods{registry: r, dirs: host.BackendDirs(flagDirs, os.Getenv)}
	m.skipped = host.Extend(r, m.dirs)
	return m, nil
}

// foldersExist refuses a folder that a flag names and that is not there.
func foldersExist(flagDirs []string) error {
	for _, dir := range flagDirs {
		if _, err := os.Stat(dir); err != nil {
			return &failure{codeUsage, fmt.Errorf("--%s: %w", backendDirFlag, err), "name a folder that holds binaries called spawn-backend-KEY"}
		}
	}
	return nil
}

// refused returns those of the folders that were skipped as a whole.
func (m *methods) refused(dirs []string) (out []host.Skipped) {
	for _, dir := range dirs {
		path, err := filepath.Abs(dir)
		if i := slices.IndexFunc(m.skipped, func(s host.Skipped) bool { return s.Path == path }); err == nil && i >= 0 {
			out = append(out, m.skipped[i])
		}
	}
	return out
}

func refusedFolder(s host.Skipped) error {
	return &failure{codeUsage, fmt.Errorf("--%s %s: %s", backendDirFlag, plain(s.Path), plain(s.Reason)), ""}
}

// choose returns the method that flag, environment and configuration file
// choose together. What was overruled is said.
func (a *app) choose(cmd *cobra.Command, m *methods, flag string) (registry.Entry, error) {
	if flag == "" && cmd.Flags().Changed(registry.FlagName) {
		return m.lookup(flag)
	}
	path := configPath(os.Getenv)
	if err := outOfReach(path); err != nil {
		if flag == "" && os.Getenv(registry.EnvVar) == "" { // else it would not decide
			a.say("warning: no configuration file is read: %v: set $HOME or $XDG_CONFIG_HOME to a folder of your own", err)
		}
		path = ""
	}
	cfg, err := readConfig(path)
	if err != nil {
		return registry.Entry{}, err
	}
	s := registry.Selection{Flag: flag, Env: os.Getenv(registry.EnvVar), Config: cfg.SpawnBackend}
	choice, err := s.Resolve(m.registry)
	for _, w := range choice.Warnings {
		a.say("warning: %s", w)
	}
	return choice.Entry, m.explain(err)
}

// lookup returns the entry of a key that a person gave.
func (m *methods) lookup(key string) (registry.Entry, error) {
	e, err := m.registry.Lookup(key)
	return e, m.explain(err)
}

// explain adds to the error about a key that is not registered that its file
// is there and was skipped, if so.
func (m *methods) explain(err error) error {
	var e *spawn.Error
	if !errors.As(err, &e) || !errors.Is(err, spawn.ErrUnknownMethod) {
		return err
	}
	for _, s := range m.skipped {
		if string(s.Key) == e.Key {
			return &failure{codeUsage, err, fmt.Sprintf("%s was skipped: %s", plain(s.Path), plain(s.Reason))}
		}
	}
	return err
}
