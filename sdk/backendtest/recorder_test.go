package backendtest

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestRecorder(t *testing.T) {
	for name, tt := range map[string]struct {
		run     func(T)
		outcome Outcome
		text    []string
	}{
		"passes":              {func(t T) { t.Logf("a %s", "note") }, Passed, []string{"a note"}},
		"fails twice":         {func(t T) { t.Logf("note"); t.Errorf("one"); t.Fatalf("two"); t.Errorf("three") }, Failed, []string{"one", "two", "note"}},
		"skips":               {func(t T) { t.Skipf("no root"); t.Errorf("reached") }, Skipped, []string{"no root"}},
		"fails, then skips":   {func(t T) { t.Errorf("one"); t.Skipf("no root") }, Failed, []string{"one", "no root"}},
		"fails in a cleanup":  {func(t T) { t.Cleanup(func() { t.Errorf("late") }) }, Failed, []string{"late"}},
		"cleans up backwards": {func(t T) { t.Cleanup(func() { t.Logf("2") }); t.Cleanup(func() { t.Logf("1") }); t.Fatalf("f") }, Failed, []string{"f", "1", "2"}},
		"context ends before the cleanups": {func(t T) {
			ctx := t.Context()
			t.Cleanup(func() { t.Logf("%v", ctx.Err()) })
			if ctx.Err() != nil {
				t.Errorf("it has ended")
			}
		}, Passed, []string{"context canceled"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t.Context())
			got := r.record("case", "way", func() { tt.run(r) })
			if got.Outcome != tt.outcome || !slices.Equal(got.Text, tt.text) || got.Case != "case" || got.Way != "way" {
				t.Errorf("got %+v, want %s, %q", got, tt.outcome, tt.text)
			}
		})
	}
}

func TestRecorderPanic(t *testing.T) {
	r := newRecorder(context.Background())
	got := r.record("c", "w", func() { panic("boom") })
	if got.Outcome != Failed || !strings.Contains(got.Text[0], "panic: boom") || !strings.Contains(got.Text[0], "recorder_test.go") {
		t.Errorf("got %+v", got)
	}
}

func TestRecorderTempDir(t *testing.T) {
	r := newRecorder(context.Background())
	var dir string
	got := r.record("c", "w", func() {
		dir = r.TempDir()
		if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
			r.Errorf("%v", err)
		}
	})
	if _, err := os.Stat(dir); dir == "" || !os.IsNotExist(err) || got.Outcome != Passed {
		t.Errorf("%q is still there (%v), %+v", dir, err, got)
	}
}

func TestResultString(t *testing.T) {
	got := Result{Case: "exit-codes", Way: "plugin", Outcome: Failed, Text: []string{"exit 7"}, Seconds: 0.25}.String()
	if want := "failed  plugin    exit-codes                     0.25s\n        exit 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
