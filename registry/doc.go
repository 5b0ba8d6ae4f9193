// Package registry is the table of spawn methods: which keys exist, what
// stands behind each, and which one a flag, an environment variable and a
// config file together choose.
//
// The smallest example:
//
//	reg, err := registry.New(backends.Builtin()...)
//	…
//	entry, err := reg.Lookup("forkexec")
//
// A method that is known not to work is registered like any other, with the
// status [Blocked] and the words that explain it. Such a stub never takes the
// place of a method that works: a key is registered once, and a second claim
// is a [*DuplicateError] that names both claimants.
//
// Everything that shows keys to a person (help, completion, error messages)
// takes them from one [Registry], so that a new backend appears in all of them
// by being added.
//
// A Registry is a value that is made and handed on. There is no global one, no
// package registers itself, and this package neither opens files nor starts
// processes: finding plugins in folders and serving them is the work of
// package host.
package registry
