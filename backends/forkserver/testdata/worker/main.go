// Command worker is a small program that parks: it says when it has begun, and ends
// with its standard input.
package main

import (
	"io"
	"os"

	"github.com/hatchery-spawn/hatchery/actor"
)

func main() {
	actor.Park()
	os.Stdout.Write([]byte{'!'})
	io.Copy(io.Discard, os.Stdin)
}
