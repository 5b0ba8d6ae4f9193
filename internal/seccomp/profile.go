package seccomp

import "strings"

// A Group is a part of the default profile: calls that are treated alike, and
// why.
type Group struct {
	Name  string
	Why   string
	Rules []Rule
}

// Default returns the default profile: what programs live with that are not
// written for a sandbox, such as shells, compilers, interpreters and databases.
//
// What it refuses, it refuses by the given action: Errno(1), which is EPERM, or
// KillProcess; with Log one learns what a program would be refused. Two kinds of
// refusal stay errors even so, because programs ask in order to learn what there
// is: calls and socket families that the sandbox pretends not to have, such as
// clone3, whose flags a filter cannot see and which C libraries then do without.
func Default(refuse Action) Filter {
	f := Filter{Default: refuse, Unknown: Errno(enosys)}
	for _, g := range Groups(refuse) {
		f.Rules = append(f.Rules, g.Rules...)
	}
	return f
}

// Groups returns the default profile in its parts, for a reader. Every call of
// every architecture with a table is in one of them.
func Groups(refuse Action) []Group {
	all := allowed()
	all = append(all, judged(refuse)...)
	return append(all, refused(refuse)...)
}

// each is a rule for calls whatever their arguments, which are words in a text.
func each(a Action, names string) []Rule {
	return []Rule{{Names: strings.Fields(names), Action: a}}
}
