package registry

import (
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// EnvVar is the environment variable that chooses the method.
const EnvVar = "HATCHERY_SPAWN_BACKEND"

// The sources of a choice, as [Choice] and messages name them.
const (
	SourceFlag    = "--" + FlagName
	SourceEnv     = "$" + EnvVar
	SourceConfig  = "config " + FlagName
	SourceDefault = "default"
)

// A Selection is what each source says about the method. An empty string means
// that the source says nothing: an environment variable that is set to nothing
// chooses nothing.
type Selection struct {
	Flag    string // --spawn-backend
	Env     string // $HATCHERY_SPAWN_BACKEND
	Config  string // the config file
	Default string // empty means DefaultKey
}

// A Choice is the method that was chosen.
type Choice struct {
	Entry    Entry
	Source   string   // which source chose it: SourceFlag and its kin
	Warnings []string // one for each source that was overruled and said otherwise
}

// Resolve returns the choice of the first source that says anything: flag,
// then environment, then config, then default. A value that is not registered
// is the error of [Registry.Lookup], which names the source too; the next
// source does not step in for it. What an overruled source says is not looked
// up: it is worth a warning when it differs, and never an error.
func (s Selection) Resolve(reg *Registry) (Choice, error) {
	given := s.given()
	first := given[0]
	e, err := reg.Lookup(first.value)
	if err != nil {
		var se *spawn.Error
		if errors.As(err, &se) {
			se.Op = first.source
		}
		return Choice{}, err
	}
	c := Choice{Entry: e, Source: first.source}
	for _, g := range given[1:] {
		if g.source != SourceDefault && g.value != first.value {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s=%s overrides %s=%s",
				first.source, shown(first.value), g.source, shown(g.value)))
		}
	}
	return c, nil
}

type sourced struct{ source, value string }

// given returns the sources that say something, strongest first. The default
// always does.
func (s Selection) given() []sourced {
	if s.Default == "" {
		s.Default = string(DefaultKey)
	}
	var given []sourced
	for _, g := range []sourced{
		{SourceFlag, s.Flag}, {SourceEnv, s.Env}, {SourceConfig, s.Config}, {SourceDefault, s.Default},
	} {
		if g.value != "" {
			given = append(given, g)
		}
	}
	return given
}

// shown returns a value as a message can carry it: what came from outside and
// is no key is quoted.
func shown(value string) string {
	if _, err := ParseKey(value); err != nil {
		return fmt.Sprintf("%.40q", value)
	}
	return value
}
