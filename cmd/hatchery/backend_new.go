package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/scaffold"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/spf13/cobra"
)

// newFlags are the flags of backend new.
type newFlags struct {
	key, lang, module, checkout string
}

func (a *app) backendNewCommand() *cobra.Command {
	var f newFlags
	cmd := &cobra.Command{
		Use:                   "new --key KEY [--lang go|python] [flags] DIR",
		DisableFlagsInUseLine: true,
		Short:                 "write the beginning of a backend, which works already",
		Long: `
Write a folder with a backend that builds, and passes the conformance kit, before
a line of it has been changed: a planner with one option, its test, a Makefile with
the flags of a reproducible build and checksums, and a README that says what to do
next. Nothing is executed and nothing is fetched.

DIR must be empty or not exist. KEY is a lower case letter and then at most 31 lower
case letters, digits and _, and no built-in method's.

A backend in Go needs this framework as a module: the version that this command is
a release of, or else the checkout in which DIR, the current folder or the command
lies; --checkout names another. One in Python needs Python 3.9 and no package.`,
		Example: `
  hatchery backend new --key careful ./careful
  hatchery backend new --key careful --lang python ./careful
  hatchery backend new --key careful --module git.example.org/careful --checkout ~/src/hatchery ./careful`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, "want one folder, got %d arguments: hatchery backend new --key KEY DIR", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.newBackend(cmd, f, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.key, "key", "", "the method is called `KEY`")
	flags.StringVar(&f.lang, "lang", "go", "write it in `LANG`: "+join(scaffold.Langs(), "or"))
	flags.StringVar(&f.module, "module", "", "the Go module's `PATH` (default example.com/spawn-backend-KEY)")
	flags.StringVar(&f.checkout, "checkout", "", "build the Go module against the checkout of the framework in `DIR`")
	cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(scaffold.Langs(), cobra.ShellCompDirectiveNoFileComp))
	cmd.MarkFlagDirname("checkout")
	return cmd
}

func (a *app) newBackend(cmd *cobra.Command, f newFlags, dir string) error {
	key, err := newKey(cmd, f.key)
	if err != nil {
		return err
	}
	o := scaffold.Options{Key: key, Lang: f.lang, Module: f.module}
	if !slices.Contains(scaffold.Langs(), o.Lang) {
		return usage(cmd, "--lang %q: want %s%s", o.Lang, join(scaffold.Langs(), "or"), orNear(o.Lang, scaffold.Langs()))
	}
	if o.Lang != "go" && (f.module != "" || f.checkout != "") {
		return usage(cmd, "--module and --checkout are for --lang go")
	}
	if strings.ContainsAny(o.Module, " \t\n\"'`\\") {
		return usage(cmd, "--module %q: want the path of a module, such as example.com/%s", o.Module, key)
	}
	if o.Version, o.Checkout, err = framework(cmd, f.checkout, dir); err != nil {
		return err
	}
	if err := scaffold.Write(dir, o); err != nil {
		if errors.Is(err, scaffold.ErrNotEmpty) {
			return &failure{codeUsage, err, "name a folder that is empty or does not exist"}
		}
		return err
	}
	return a.sayNext(dir, o)
}

// newKey returns a key that a new method can have.
func newKey(cmd *cobra.Command, text string) (registry.SpawnMethodKey, error) {
	if text == "" {
		return "", usage(cmd, "no key given: say --key KEY, as in --key careful")
	}
	key, err := registry.ParseKey(text)
	if err != nil {
		return "", usage(cmd, "--key: %v", err)
	}
	if slices.ContainsFunc(backends.Builtin(), func(e registry.Entry) bool { return e.Key == key }) {
		return "", usage(cmd, "--key %s: a built-in method has that key, and is never replaced: want another", key)
	}
	return key, nil
}

// framework returns where a module in Go has the framework from: a version, or a
// checkout.
func framework(cmd *cobra.Command, flag, dir string) (version, checkout string, err error) {
	if flag != "" {
		if checkout = scaffold.Checkout(flag); checkout == "" {
			return "", "", usage(cmd, "--checkout %s: it holds no go.mod of the module %s", plain(flag), scaffold.Module)
		}
		return "", checkout, nil
	}
	// What was built from changed or unpublished sources has a version that
	// nobody can fetch: vX.Y.Z-0.DATE-COMMIT+dirty, or (devel).
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Path == scaffold.Module {
		if v := info.Main.Version; strings.HasPrefix(v, "v") && !strings.ContainsAny(v, "+-") {
			return v, "", nil
		}
	}
	near := []string{filepath.Dir(dir), "."}
	if exe, err := os.Executable(); err == nil {
		near = append(near, filepath.Dir(exe))
	}
	for _, n := range near {
		if checkout = scaffold.Checkout(n); checkout != "" {
			return "", checkout, nil
		}
	}
	return "", "", nil
}

// sayNext says what was written, and what to do with it.
func (a *app) sayNext(dir string, o scaffold.Options) error {
	lang, binary := "Go", "./bin/spawn-backend-"+string(o.Key)
	if o.Lang == "python" {
		lang, binary = "Python", "./spawn-backend-"+string(o.Key)+".py"
	}
	_, err := fmt.Fprintf(a.stdout, "%s holds a backend for the method %s, in %s.\n\n  cd %[1]s\n", plain(dir), o.Key, lang)
	next := []string{"make test"}
	if o.Tidy() {
		next = append([]string{"go mod tidy"}, next...)
	}
	if o.Tidy() && o.Version == "" {
		next = append([]string{"go mod edit -replace " + scaffold.Module + "=/path/to/checkout"}, next...)
	}
	next = append(next, "make", "hatchery backend test "+binary, fmt.Sprintf("hatchery run --backend-dir %s --spawn-backend=%s -- echo hello", filepath.Dir(binary), o.Key))
	for _, n := range next {
		if err == nil {
			_, err = fmt.Fprintf(a.stdout, "  %s\n", n)
		}
	}
	return err
}
