package smoketest

import (
	"fmt"
	"os"
)

// say writes a line for the scenario, which reads it with victim.line.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stdout, format+"\n", args...)
}

// untilEnd waits for the end of standard input.
func untilEnd() {
	var b [64]byte
	for {
		if _, err := os.Stdin.Read(b[:]); err != nil {
			return
		}
	}
}
