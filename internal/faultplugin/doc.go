// Package faultplugin is a plugin that is broken, or hostile, in one way out of
// a table of ways. It is a fixture for the tests of everything that has to do
// with plugins:
//
//	for _, m := range faultplugin.Modes() {
//		t.Run(m.Name, func(t *testing.T) { … m.Key() … m.Stage … m.Kind … m.Says … })
//	}
//
// The table says of each mode what it does and what a host has to make of it.
// So a test holds all of them by a loop, and a mode that is added is held
// without anybody remembering to.
//
// # Where it runs
//
// As built-in methods of a test binary: [Entries] are given to host.Init in
// TestMain, and the test binary executed again is the plugin.
//
// As a binary: package spawn-backend-fault, below this one, is the program. Its
// file name says the mode: copied or linked as spawn-backend-fault_hang it is
// the mode hang. That is what a backend folder for a test of the command is
// made of.
//
// # What this package is not
//
// It is linked into no program that ships. Its modes break what a plugin can
// break: descriptors, the control connection, the plan lane, its own process.
// It does not attack the machine.
package faultplugin
