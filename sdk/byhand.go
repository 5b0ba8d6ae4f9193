package sdk

import (
	"fmt"
	"io"
	"strings"
)

// explainPlugin tells a person at a shell what they have started.
func explainPlugin(w io.Writer, d Description, why error) {
	fmt.Fprintf(w, `This program is a spawn backend of Hatchery: it serves the method %q
(%s) and is started by a host, not by hand (%v).
To use it, put it into a backend folder under the name spawn-backend-%[1]s, see
"hatchery backends --all", and run: hatchery run --spawn-backend=%[1]s -- PROGRAM
`, d.Key, strings.TrimSuffix(d.Summary, "."), why)
}
