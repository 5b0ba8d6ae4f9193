package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

// A conformance is what became of a conformance run: backend test --json.
type conformance struct {
	Key     string        `json:"key"`
	Source  string        `json:"source"` // built-in, or the path of the binary
	Status  string        `json:"status"`
	Summary string        `json:"summary"`
	Cases   []conformCase `json:"cases"`
	Passed  int           `json:"passed"`
	Failed  int           `json:"failed"`
	Skipped int           `json:"skipped"`

	claims []backendtest.Ability // of the method itself; nil if it says nothing

	out io.Writer // where each case is told when it is over; nil for nowhere
	err error     // the first from out
}

// A conformCase is one case.
type conformCase struct {
	Name    string              `json:"name"`
	Outcome backendtest.Outcome `json:"outcome"`
	Seconds float64             `json:"seconds"`
	Text    []string            `json:"text"` // what was seen and what would be right; why it was skipped
	Doc     string              `json:"doc"`  // what is promised
}

// print writes to out, as long as that works.
func (r *conformance) print(format string, args ...any) {
	if r.out != nil && r.err == nil {
		_, r.err = fmt.Fprintf(r.out, format, args...)
	}
}

func (r *conformance) head() {
	r.print("%s: %s (%s, %s)\n\n", r.Key, oneLine(r.Summary), plain(r.Source), oneLine(r.Status))
}

// begin names the case, which stands there while it runs.
func (r *conformance) begin(c backendtest.Case) { r.print("%-26s ", c.Name) }

// add tells how a case went.
func (r *conformance) add(c backendtest.Case, res backendtest.Result) {
	text := []string{}
	for _, t := range res.Text {
		text = append(text, strings.ToValidUTF8(t, "\ufffd"))
	}
	r.Cases = append(r.Cases, conformCase{c.Name, res.Outcome, res.Seconds, text, c.Doc})
	switch res.Outcome {
	case backendtest.Passed:
		r.Passed++
		r.print("pass  %6.2f s\n", res.Seconds)
	case backendtest.Skipped:
		r.Skipped++
		r.print("skip  %s\n", oneLine(strings.Join(text, "; ")))
	default:
		r.Failed++
		r.print("FAIL  %6.2f s\n", res.Seconds)
		for _, t := range text {
			for line := range strings.Lines(t) {
				r.print("    %s\n", oneLine(strings.TrimRight(line, "\n")))
			}
		}
		r.print("    promised: %s\n", c.Doc)
	}
}

// finishConformance prints what is left to say.
func (a *app) finishConformance(r *conformance, asJSON bool) error {
	r.print("\n%d passed, %d failed, %d skipped\n", r.Passed, r.Failed, r.Skipped)
	if asJSON {
		r.err = a.writeJSON(r)
	}
	if r.err == nil && r.Failed > 0 {
		return &failure{codeBroken, nil, ""}
	}
	return r.err
}

// listCases prints cases, and what they promise.
func (a *app) listCases(cases []backendtest.Case, asJSON bool) error {
	type listedCase struct {
		Name  string                `json:"name"`
		Needs []backendtest.Ability `json:"needs"`
		Doc   string                `json:"doc"`
	}
	list := []listedCase{}
	var b strings.Builder
	for _, c := range cases {
		needs := append([]backendtest.Ability{}, c.Needs...)
		list = append(list, listedCase{c.Name, needs, c.Doc})
		fmt.Fprintf(&b, "%s", c.Name)
		for i, n := range needs {
			fmt.Fprintf(&b, "%s%s", map[bool]string{true: "  (needs ", false: ", "}[i == 0], n)
		}
		if len(needs) > 0 {
			b.WriteByte(')')
		}
		fmt.Fprintf(&b, "\n    %s\n", c.Doc)
	}
	if asJSON {
		return a.writeJSON(struct {
			Cases []listedCase `json:"cases"`
		}{list})
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}
