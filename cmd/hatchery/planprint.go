package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A printedPlan is a plan with its holes filled, in the form of --json.
type printedPlan struct {
	Method  string        `json:"method"`
	Source  string        `json:"source"`
	Program any           `json:"program"`
	Steps   []printedStep `json:"steps"`
	Notes   []string      `json:"notes,omitempty"`
}

type printedStep struct {
	Op   string `json:"op"`
	Args []any  `json:"args"` // what printArg knows
}

// Arguments of a printed step that are neither a number nor text.
type (
	fileArg struct {
		File int64 `json:"file"`
	}
	resultArg struct {
		Result int64 `json:"result"`
	}
	envArg struct {
		Env int `json:"env"`
	}
	filterArg struct {
		Instructions int `json:"instructions"`
	}
	childFile struct {
		FD   int    `json:"fd"`
		From string `json:"from"`
	}
	templateArg struct {
		Kind     string `json:"kind"`
		Args     []any  `json:"args"`
		Env      []any  `json:"env"`
		Min      int    `json:"min"`
		Max      int    `json:"max"`
		Idle     string `json:"idle"`
		Memory   int64  `json:"memory"`
		Required bool   `json:"required"`
		Here     bool   `json:"here"`
	}
	rawBytes struct {
		Base64 []byte `json:"base64"`
	}
)

// text returns s for JSON, which takes no bytes but UTF-8.
func text(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return rawBytes{[]byte(s)}
}

func texts(list []string) []any {
	all := []any{}
	for _, s := range list {
		all = append(all, text(s))
	}
	return all
}

// A filler knows what the holes of a plan stand for.
type filler struct {
	program string
	spec    *spawn.Spec
}

func (f filler) step(s spawn.Step) printedStep {
	p := printedStep{string(s.Op), []any{}}
	for _, a := range s.Args {
		p.Args = append(p.Args, f.arg(a))
	}
	if s.Op == spawn.OpSeccomp && len(s.Args) == 2 {
		p.Args[1] = filterArg{len(s.Args[1].Str) / 8}
	}
	if s.Op == spawn.OpExec && len(p.Args) == 3 {
		p.Args[2] = envArg{len(f.spec.Env)} // whoever said which
	}
	if t, ok := s.Template(); ok {
		p.Args = []any{templateArg{t.Kind, texts(t.Args), texts(t.Env), t.Min, t.Max, t.Idle.String(), t.Memory, t.Required, t.Here}}
	}
	if s.Op == spawn.OpFiles {
		for i, file := range f.spec.Files {
			p.Args = append(p.Args, childFile{i, file.Name()})
		}
	}
	return p
}

func (f filler) arg(a spawn.Arg) any {
	switch a.Kind {
	case spawn.ArgInt:
		return a.Num
	case spawn.ArgStr:
		return text(a.Str)
	case spawn.ArgFD:
		return fileArg{a.Num}
	case spawn.ArgResult:
		return resultArg{a.Num + 1}
	case spawn.ArgHole:
		return f.hole(spawn.Hole(a.Num))
	}
	return a.String()
}

func (f filler) hole(h spawn.Hole) any {
	switch h {
	case spawn.HolePath:
		return text(f.program)
	case spawn.HoleDir:
		return text(f.spec.Dir)
	case spawn.HoleCwd:
		if cwd, err := os.Getwd(); err == nil && !filepath.IsAbs(f.spec.Dir) {
			return text(filepath.Join(cwd, f.spec.Dir))
		}
		return text(f.spec.Dir)
	case spawn.HoleEnv:
		return envArg{len(f.spec.Env)}
	case spawn.HoleArgs:
		return texts(f.spec.Argv())
	}
	return h.String()
}

// print writes the plan for people: a heading, then a step on each line.
func (p *printedPlan) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) would start %s:\n", p.Method, p.Source, printArg(p.Program))
	width := len(strconv.Itoa(len(p.Steps)))
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%*d  %s(%s)\n", width, i+1, s.Op, printArgs(s.Args))
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "note: %s\n", oneLine(n))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printArgs(args []any) string {
	var parts []string
	for _, a := range args {
		parts = append(parts, printArg(a))
	}
	return strings.Join(parts, ", ")
}

func printArg(a any) string {
	switch a := a.(type) {
	case string:
		return quoteShort(a)
	case rawBytes:
		return strconv.Quote(string(a.Base64))
	case fileArg:
		return fmt.Sprintf("file %d of the backend", a.File)
	case resultArg:
		return fmt.Sprintf("result of step %d", a.Result)
	case envArg:
		if a.Env == 1 {
			return "1 variable"
		}
		return fmt.Sprintf("%d variables", a.Env)
	case filterArg:
		return fmt.Sprintf("a filter of %d instructions", a.Instructions)
	case childFile:
		return fmt.Sprintf("%d=%s", a.FD, a.From)
	case templateArg:
		return a.String()
	case []any:
		return "[" + printArgs(a) + "]"
	}
	return fmt.Sprint(a)
}

// quoteShort quotes s, of which the beginning will do if it is a whole program.
func quoteShort(s string) string {
	const most, shown = 1000, 60
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%q… (%d bytes)", strings.ToValidUTF8(s[:shown], ""), len(s))
}

// String says what is made ready for a child.
func (t templateArg) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q, booted as [%s] with [%s], %d to %d ready for %s", t.Kind, printArgs(t.Args), printArgs(t.Env), t.Min, t.Max, t.Idle)
	if t.Memory > 0 {
		fmt.Fprintf(&b, " in %d bytes", t.Memory)
	}
	if t.Required {
		b.WriteString(", or not at all")
	}
	return b.String()
}
