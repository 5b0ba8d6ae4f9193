package backendtest

import (
	"slices"

	"github.com/hatchery-spawn/hatchery/registry"
)

// An Ability is something that a backend can do for a child, and that not
// every backend can. A case names those it needs.
type Ability string

// The abilities that a backend claims.
const (
	// Programs: children are programs of this machine, and a Spec's Path,
	// Args, Env and the descriptors 0, 1 and 2 are theirs.
	Programs Ability = "programs"
	// Local: children are processes of this machine. They inherit what the
	// host has, and their failures to start are those of os/exec.
	Local Ability = "local"
	// Descriptors: Spec.Files beyond 2.
	Descriptors Ability = "descriptors"
	// Directory: Spec.Dir.
	Directory Ability = "directory"
	// Umask: Spec.Umask.
	Umask Ability = "umask"
	// Groups: Spec.Group and Spec.Session.
	Groups Ability = "groups"
	// Terminal: Spec.Terminal, which needs Session.
	Terminal Ability = "terminal"
	// Credentials: Spec.Credential.
	Credentials Ability = "credentials"
	// Limits: Spec.Limits.
	Limits Ability = "limits"
	// Ignoring: Spec.Ignore.
	Ignoring Ability = "ignoring"
	// NoNewPrivs: Spec.NoNewPrivs.
	NoNewPrivs Ability = "no_new_privs"
)

// The abilities that the kit finds out for itself.
const (
	// Works: the method is not blocked.
	Works Ability = "works"
	// Blocked: the method refuses everything, and says why.
	Blocked Ability = "blocked"
	// Plans: the backend makes plans.
	Plans Ability = "plans"
	// Plugin: the backend is served by a process of its own, as it is in
	// every way but in process.
	Plugin Ability = "plugin"
)

// Abilities returns what a backend can claim. It is what one claims that does
// not say otherwise, since spawn.Standard gives it all of them.
func Abilities() []Ability {
	return []Ability{Programs, Local, Descriptors, Directory, Umask, Groups, Terminal, Credentials, Limits, Ignoring, NoNewPrivs}
}

// ClaimsOf returns what a method says that it claims, or nil when it says nothing,
// which claims everything. What this kit does not know is passed over.
func ClaimsOf(e registry.Entry) []Ability {
	if len(e.Claims) == 0 {
		return nil
	}
	claims := []Ability{}
	for _, c := range e.Claims {
		if slices.Contains(Abilities(), Ability(c)) {
			claims = append(claims, Ability(c))
		}
	}
	return claims
}

// abilities is a set.
type abilities []Ability

func (a abilities) has(want Ability) bool { return slices.Contains(a, want) }

func (a abilities) all(want []Ability) bool {
	return !slices.ContainsFunc(want, func(w Ability) bool { return !a.has(w) })
}
