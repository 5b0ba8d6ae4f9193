// Package table reads service tables: what hatchery up runs.
//
// A table is TOML. Each [service.NAME] is a command or an actor:
//
//	[service.db]
//	command = ["postgres", "-D", "data"]
//	restart = "on-failure"
//
//	[service.store]
//	actor = "store"
//	program = ["./store"]
//	after = ["db"]
//
// docs/up.md lists the fields.
//
// # Guarantees
//
//   - Services are in the order of the file.
//   - A table is read as a whole or not at all. The error, an [*Error], has
//     everything that is wrong, each with its line, service and field, and says
//     what would be right.
//   - No service depends on one that is not there, or on itself by way of others.
//
// # What this package is not
//
// It starts nothing, and does not look whether programs exist. Tables of other
// names are refused, but for [network], which is that of package
// actor/discovery/endpoints.
package table
