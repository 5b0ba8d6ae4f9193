package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Module is the path of the framework's module.
const Module = "github.com/hatchery-spawn/hatchery"

// modules returns what a go.mod says of the modules that are needed, and the
// go.sum that goes with it, if it is known.
func (o Options) modules() (mod string, sum []byte, err error) {
	switch {
	case o.Lang != "go":
		return "", nil, nil
	case o.Checkout == "" && o.Version == "":
		return "", nil, nil
	case o.Checkout == "":
		return fmt.Sprintf("\nrequire %s %s\n", Module, o.Version), nil, nil
	}
	theirs, err := os.ReadFile(filepath.Join(o.Checkout, "go.mod"))
	if err != nil {
		return "", nil, err
	}
	if sum, err = os.ReadFile(filepath.Join(o.Checkout, "go.sum")); err != nil {
		return "", nil, err
	}
	mod = fmt.Sprintf("\nreplace %s => %s\n\nrequire %[1]s v0.0.0\n", Module, quoted(o.Checkout))
	if needs := requirements(string(theirs)); needs != "" {
		mod += "\nrequire (\n" + needs + ")\n"
	}
	return mod, sum, nil
}

// requirements returns the lines of a go.mod that require modules, each as one
// of something that is not imported itself: "go mod tidy" drops those that nobody
// needs.
func requirements(gomod string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(gomod) {
		line = strings.TrimSpace(line)
		switch {
		case line == "require (":
			inside = true
			continue
		case line == ")":
			inside = false
		case !inside && strings.HasPrefix(line, "require "):
			line = strings.TrimPrefix(line, "require ")
		case !inside:
			line = ""
		}
		line, _, _ = strings.Cut(line, "//")
		if parts := strings.Fields(line); len(parts) == 2 {
			fmt.Fprintf(&b, "\t%s %s // indirect\n", parts[0], parts[1])
		}
	}
	return b.String()
}

// quoted returns a path as go.mod wants it.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},") {
		return fmt.Sprintf("%q", path)
	}
	return path
}

// Checkout returns the checkout of the framework that dir lies in, or "".
func Checkout(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if first, _, _ := strings.Cut(string(b), "\n"); err == nil && strings.TrimSpace(first) == "module "+Module {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return ""
		}
		dir = above
	}
}
