// Package cgroup finds out where a control group can be made for a child of this
// process, and with which controllers: see cgroups(7).
//
//	m := cgroup.Read()
//	place, err := m.Place("memory")
//
// It changes nothing. In version 2 a group has either processes or controllers to
// hand down, so a place is the nearest group above that hands the controller down
// and may be written to. In version 1, where controllers have hierarchies of their
// own, it is the process's own group there.
package cgroup
