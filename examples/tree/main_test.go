package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/examples/internal/roottest"
)

func TestMain(m *testing.M) { os.Exit(roottest.Main(m, program())) }

func TestTheWholeTreeIsCanceled(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.SetReadDeadline(time.Now().Add(time.Minute))
	said := make(chan string)
	go func() {
		all, _ := io.ReadAll(r) // to the end: nobody is left who could write
		said <- string(all)
	}()
	if err := run(t.Context(), w, 2); err != nil {
		t.Error(err)
	}
	w.Close()
	want := []string{"14 actors are there\n"}
	for i := range 2 {
		want = append(want, who(i))
		for j := range 2 {
			want = append(want, who(i, j), who(i, j, 0), who(i, j, 1))
		}
	}
	slices.Sort(want)
	got := slices.Sorted(strings.Lines(<-said))
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
}

// who is what an actor says: the root has canceled it.
func who(name ...int) string {
	dotted := strings.ReplaceAll(strings.Trim(fmt.Sprint(name), "[]"), " ", ".")
	return fmt.Sprintf("%s: canceled by %s (process %d)\n", dotted, filepath.Base(os.Args[0]), os.Getpid())
}
