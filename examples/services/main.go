// Command services has two actors for hatchery up, which runs them beside a
// PostgreSQL server (services.toml): store keeps the visits in the database, and
// visitor has it note one after the other.
//
//	initdb -D data -U visits -A trust && go build && hatchery up services.toml
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
)

func main() {
	p := actor.Program{
		Errors:  discovery.Errors(),
		Entries: map[string]actor.Entry{"store": store(), "visitor": {Run: visitor}},
	}
	os.Exit(p.Main())
}
