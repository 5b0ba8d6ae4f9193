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

// About says in a line what an ability that a backend can claim means for a child. It
// is empty for all others.
func (a Ability) About() string {
	switch a {
	case Programs:
		return "it is a program of this machine, with these arguments, environment and descriptors 0, 1 and 2"
	case Local:
		return "it is a process of this machine, fails to start as with os/exec, and inherits what nobody has set"
	case Descriptors:
		return "further descriptors, at their numbers"
	case Directory:
		return "a working directory"
	case Umask:
		return "a umask"
	case Groups:
		return "a process group or a session of its own, or a group that is there"
	case Terminal:
		return "a controlling terminal"
	case Credentials:
		return "another user and other groups, where the host may give them"
	case Limits:
		return "resource limits"
	case Ignoring:
		return "signals that it ignores from the start"
	case NoNewPrivs:
		return "no new privileges by what it executes"
	}
	return ""
}

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
