package backendtest

import (
	"reflect"
	"strings"

	"github.com/hatchery-spawn/hatchery/registry"
)

func descriptionCases() []Case {
	return []Case{{
		Name: "description",
		Doc: "A backend says what it is: a key of the form that keys have, which is the one it was asked for by, a summary of " +
			"one line, a known status, and for a blocked method why, what to use instead and where the evidence is. It says " +
			"the same every time. Lists, completion and hatchery explain show nothing else.",
		Run: description,
	}}
}

// maxSummary is what fits into a list beside a key and a status.
const maxSummary = 120

func description(t T, e *Env) {
	d := e.Entry
	if string(d.Key) != e.Key() {
		t.Errorf("its key is %q, and it was asked for by %q", d.Key, e.Key())
	}
	if _, err := registry.New(d); err != nil {
		t.Errorf("it cannot be registered: %v", err)
	}
	if d.Summary == "" || strings.ContainsAny(d.Summary, "\n\t") || len(d.Summary) > maxSummary {
		t.Errorf("summary %q: want one line of 1 to %d bytes", d.Summary, maxSummary)
	}
	again, err := e.subject.describe(t.Context(), e.Host)
	if err != nil {
		t.Fatalf("asked again: %v", err)
	}
	d.Serve, again.Serve = nil, nil // functions cannot be compared
	if !reflect.DeepEqual(d, again) {
		t.Errorf("asked again, it says\n%+v\nand not\n%+v", again, d)
	}
}
