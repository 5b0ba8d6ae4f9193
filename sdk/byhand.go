package sdk

import (
	"fmt"
	"io"
)

// explainPlugin tells a person at a shell what they have started.
func explainPlugin(w io.Writer, d Description, why error) {
	fmt.Fprintf(w, `This program is a spawn backend of Hatchery. It serves the method %q to a
host, which starts it; started by hand it does nothing (%v).
To use it, put it into a backend folder as spawn-backend-%[1]s, see "hatchery
backends --all", and run: hatchery run --spawn-backend=%[1]s -- PROGRAM
`, d.Key, why)
}
