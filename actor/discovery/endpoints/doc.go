// Package endpoints reads endpoint tables: files that say at which addresses
// actors are, for those that are found without a registrar, the registrar itself
// above all.
//
// A table is TOML:
//
//	[network]
//	registrar = ["/unix/run/user/1000/hatchery/registrar.sock"]
//	logger    = ["/ip4/10.0.0.7/tcp/1616", ["127.0.0.1", 1616]]
//	worker    = []
//
// Each key of [network] is the name of an actor, and its value the list of its
// addresses: multiaddrs, or pairs of an IP address (or localhost) and a port. The
// smallest example:
//
//	table, err := endpoints.ReadFile("network.toml")
//	…
//	logger, ok := table.Lookup("logger")
//
// # Guarantees
//
//   - Actors and addresses are in the order of the file.
//   - A table is read as a whole or not at all. An error names the file, the line,
//     the actor and the entry, and says what would be right.
//   - What is in a table can be connected to: no port 0, and no 0.0.0.0.
//   - A file of more than 1 MiB is refused without having been read.
//
// # What this package is not
//
// It connects to nobody, and does not know whether anybody is there. Other tables
// of the file are somebody else's: they have to be TOML, and are not looked at.
package endpoints
