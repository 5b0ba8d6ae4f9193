package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/nearest"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

// codeBroken is the exit code of a conformance run in which a promise was
// broken.
const codeBroken = 1

// conformFlags are the flags of backend test.
type conformFlags struct {
	dirs           []string
	run            string
	claims, except []string
	settings       []string
	list, heavy    bool
	asJSON         bool
}

func (a *app) backendTestCommand() *cobra.Command {
	var f conformFlags
	cmd := &cobra.Command{
		Use:                   "test [flags] PATH_OR_KEY",
		DisableFlagsInUseLine: true,
		Short:                 "hold a method to what its users rely on",
		Long: `
Run the conformance kit against a plugin binary, in whatever language it is
written, or against a method by its key. Each case holds the backend to one
promise: what its children are given, how they end, what is refused, and what
happens when the plugin is killed, stopped or started again. One that fails says
what was seen and what would be right, and what is promised.

A backend is held to what it says that its children can have, or else to everything;
--claims says it in its place. What is not claimed has to be refused: a case of its
own holds that. --except
leaves out cases whose promise the method means to break.

A file is found by its path when that has a /, and has to be called
spawn-backend-KEY (a script may end in .py or .sh). It is started: run it when you
have reason to trust it.

Exit code: 0 when no case failed; 1 when one did; 2 usage; 121 when the method
says that it does not work on this machine; 125 when it could not be started.

With --json: {"key", "source", "status", "summary", "cases": [{"name", "outcome",
"seconds", "text", "doc"}], "passed", "failed", "skipped"}.`,
		Example: `
  hatchery backend test ./build/spawn-backend-careful
  hatchery backend test --run '^exit|^stop' forkexec
  hatchery backend test --claims programs,local,directory ./spawn-backend-tiny.py
  hatchery backend test --list`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 0 && !f.list {
				return usage(cmd, "want the path of a plugin binary or a key, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.conform(cmd, f, args) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.dirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	flags.StringVar(&f.run, "run", "", "run the cases whose name `REGEXP` matches")
	flags.StringSliceVar(&f.claims, "claims", nil, "what the backend claims, as a `LIST` of "+joinAbilities()+`; "none" is none (default what it says itself, or all)`)
	flags.StringSliceVar(&f.except, "except", nil, "leave out the cases of a `LIST`, which the method does not mean to pass")
	flags.StringArrayVar(&f.settings, "opt", nil, "give every child the option `KEY=VALUE`; may be repeated")
	flags.BoolVar(&f.list, "list", false, "list the cases and what they promise, and start nothing")
	flags.BoolVar(&f.heavy, "heavy", false, "repeat thousands of times what is repeated: minutes")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON, when all is done")
	cmd.MarkFlagDirname(backendDirFlag)
	cmd.RegisterFlagCompletionFunc("except", cobra.FixedCompletions(caseNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || strings.Contains(prefix, "/") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return keys(f.dirs, prefix), cobra.ShellCompDirectiveDefault
	}
	return cmd
}

func (a *app) conform(cmd *cobra.Command, f conformFlags, args []string) error {
	wanted, err := f.cases(cmd)
	if err != nil {
		return err
	}
	if f.list {
		return a.listCases(wanted, f.asJSON)
	}
	options, err := f.options(cmd)
	if err != nil {
		return err
	}
	e, err := subjectOf(f.dirs, args[0])
	if err != nil {
		return err
	}
	s := backendtest.Served(e)
	apply, err := s.Cases(cmd.Context(), options)
	if err != nil {
		return err
	}
	r := &conformance{Key: s.Key(), Source: e.Source(), Cases: []conformCase{}}
	if err := r.describe(cmd.Context(), e); err != nil {
		return err
	}
	if options.Claims == nil {
		options.Claims = r.claims
	}
	r.out = a.stdout
	if f.asJSON {
		r.out = nil
	}
	r.head()
	for _, c := range wanted {
		r.begin(c)
		switch {
		case slices.ContainsFunc(apply, func(other backendtest.Case) bool { return other.Name == c.Name }):
			r.add(c, s.Check(cmd.Context(), c, options))
		default:
			r.add(c, backendtest.Result{Case: c.Name, Outcome: backendtest.Skipped, Text: []string{whyNot(c, apply, options)}})
		}
	}
	return a.finishConformance(r, f.asJSON)
}

// cases returns those that are wanted.
func (f conformFlags) cases(cmd *cobra.Command) ([]backendtest.Case, error) {
	all := backendtest.Cases()
	if f.run == "" {
		return all, nil
	}
	re, err := regexp.Compile(f.run)
	if err != nil {
		return nil, usage(cmd, "--run %q: %v", f.run, err)
	}
	all = slices.DeleteFunc(all, func(c backendtest.Case) bool { return !re.MatchString(c.Name) })
	if len(all) == 0 {
		return nil, usage(cmd, "--run %q matches no case: hatchery backend test --list lists them", f.run)
	}
	return all, nil
}

// options returns what the backend is held to.
func (f conformFlags) options(cmd *cobra.Command) (backendtest.Options, error) {
	o := backendtest.Options{Heavy: f.heavy, Except: f.except}
	for _, text := range f.settings {
		setting, err := spawn.ParseOption(text)
		if err != nil {
			return o, usage(cmd, "--opt: %v", err)
		}
		o.Settings = append(o.Settings, setting)
	}
	names := caseNames()
	for _, name := range f.except {
		if !slices.Contains(names, name) {
			return o, usage(cmd, "--except %s: there is no such case%s", name, orNear(name, names))
		}
	}
	if !cmd.Flags().Changed("claims") {
		return o, nil
	}
	o.Claims = []backendtest.Ability{}
	if slices.Equal(f.claims, []string{"none"}) {
		return o, nil
	}
	known := backendtest.Abilities()
	for _, name := range f.claims {
		if !slices.Contains(known, backendtest.Ability(name)) {
			return o, usage(cmd, "--claims %s: there is no such ability%s; want some of %s", name, orNear(name, abilityNames()), joinAbilities())
		}
		o.Claims = append(o.Claims, backendtest.Ability(name))
	}
	return o, nil
}

// orNear asks whether the nearest known word was meant.
func orNear(word string, known []string) string {
	if near, ok := nearest.Of(word, known); ok {
		return ": did you mean " + near + "?"
	}
	return ""
}

func caseNames() (names []string) {
	for _, c := range backendtest.Cases() {
		names = append(names, c.Name)
	}
	return names
}

func abilityNames() (names []string) {
	for _, a := range backendtest.Abilities() {
		names = append(names, string(a))
	}
	return names
}

func joinAbilities() string { return join(abilityNames(), "and") }

// subjectOf returns the method that a path or a key stands for. A path is
// checked as everything in its folder is, whatever folders there are else.
func subjectOf(dirs []string, arg string) (registry.Entry, error) {
	if !strings.ContainsRune(arg, filepath.Separator) {
		m, err := findMethods(dirs)
		if err != nil {
			return registry.Entry{}, err
		}
		e, err := m.lookup(arg)
		if _, serr := os.Stat(arg); errors.Is(err, spawn.ErrUnknownMethod) && serr == nil {
			return e, &failure{codeUsage, err, fmt.Sprintf("for the file of that name say .%c%s", filepath.Separator, plain(arg))}
		}
		return e, err
	}
	path, err := filepath.Abs(arg)
	if err != nil {
		return registry.Entry{}, err
	}
	if _, err := os.Stat(path); err != nil {
		return registry.Entry{}, &failure{codeUsage, err, "want the path of a plugin binary, or a key"}
	}
	found := new(registry.Registry)
	skipped := host.Extend(found, []string{filepath.Dir(path)})
	for _, e := range found.Entries() {
		if e.Path == path {
			return e, nil
		}
	}
	reason := "it is not named spawn-backend-KEY"
	for _, s := range skipped {
		if s.Path == path || s.Path == filepath.Dir(path) {
			reason = s.Reason
		}
	}
	return registry.Entry{}, &failure{codeUsage, fmt.Errorf("%s: %s", plain(path), plain(reason)), "a host would skip it too: see hatchery backends --all"}
}

// describe starts the method for what it says of itself.
func (r *conformance) describe(ctx context.Context, e registry.Entry) error {
	reg, err := registry.New(e)
	if err != nil {
		return err
	}
	h, err := host.Open(host.Config{Registry: reg, Method: e.Key})
	if err != nil {
		return err
	}
	defer h.Close()
	if e, err = h.Describe(ctx, r.Key); err != nil {
		return err
	}
	r.Status, r.Summary, r.claims = statusOf(e), e.Summary, backendtest.ClaimsOf(e)
	return nil
}

// whyNot says why a case does not apply.
func whyNot(c backendtest.Case, apply []backendtest.Case, o backendtest.Options) string {
	for _, need := range c.Needs {
		if slices.Contains(backendtest.Abilities(), need) && o.Claims != nil && !slices.Contains(o.Claims, need) {
			return fmt.Sprintf("it needs %s, which the backend does not claim", need)
		}
	}
	if blockedOnly(apply) && !slices.Contains(c.Needs, backendtest.Blocked) {
		return "the method is blocked, and held to refusing as it should"
	}
	switch {
	case slices.Contains(c.Needs, backendtest.Blocked):
		return "it is for methods that are blocked"
	case slices.Contains(c.Needs, backendtest.Plans):
		return "the backend makes no plans: it is a spawner"
	}
	return "it does not apply here"
}

// blockedOnly reports whether the cases are those of a blocked method.
func blockedOnly(apply []backendtest.Case) bool {
	return slices.ContainsFunc(apply, func(c backendtest.Case) bool { return slices.Contains(c.Needs, backendtest.Blocked) })
}
