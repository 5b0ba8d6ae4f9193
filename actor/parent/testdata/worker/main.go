// Command worker is the smallest actor. With the argument "main" it says on
// descriptor 3 that it has come to main, and with "wait" it reads that descriptor
// to its end first, so that a benchmark can compare.
package main

import (
	"context"
	"os"

	"github.com/hatchery-spawn/hatchery/actor"
)

func main() {
	if len(os.Args) > 1 {
		f := os.NewFile(3, "bench")
		f.Write([]byte{1})
		if os.Args[1] == "wait" {
			f.Read(make([]byte, 1))
		}
		return
	}
	p := actor.Program{Entries: map[string]actor.Entry{"return": {Run: func(context.Context, *actor.Actor) error { return nil }}}}
	os.Exit(p.Main())
}
