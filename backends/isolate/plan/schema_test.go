package plan

import (
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/optionschema"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var write = flag.Bool("write", false, "write the schema of the options anew")

// TestSchema: the file is what the table says.
func TestSchema(t *testing.T) {
	want := optionschema.Text(table())
	if *write {
		if err := os.WriteFile("schema.json", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(want, Schema()); d != "" {
		t.Errorf("schema.json is not of this table: go test -run TestSchema -write\n%s", d)
	}
}

// valid are options as they are given, each right by itself.
func valid() []string {
	return []string{
		"profile=empty", "root=/srv/..x/.y", "overlay=true", `bind=/a\:b/c:/d.e:rw`, "bind=/:/x", "bind=/a:ro", "tmpfs=/t/mp:10%", "tmpfs=/a:64m", "net=host",
		"hostname=a-b.c", "clock=boottime:-1.5h3us", "clock=monotonic:+0", "uid=4294967294", "gid=0", "ids=100000:65536", "seccomp=kill", "seccomp=bpf:/a/b",
		"landlock=exec:/usr/bin", "landlock=bind:65535", "landlock=connect:00443", "landlock=scope", "keep_env=A,B", "best_effort=cgroup,landlock",
		"memory=64m", "cpus=0.5", `io=/dev/s\:da:rbps=10m,wiops=100`, "io=/:riops=1", "io_weight=10000", "pids=4194304", "wall=1m30s", "cpu_time=1.5s",
	}
}

// mistaken are contradictions, which the schema does not know, and numbers that do
// not fit together.
func mistaken() []string {
	return []string{"contradict", "needs", "nothing can be put into /proc", "0 is root's", "its last id has to be", "its offset is too long", "is too much: leave it out", "it has two limits", "it has no limit behind"}
}

// TestSchemaAndParserAgree: what the schema refuses the parser refuses, and what it
// takes the parser takes, but for contradictions. The inputs are right ones that are
// written wrong.
func TestSchemaAndParserAgree(t *testing.T) {
	says, err := optionschema.Parse(Schema())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	taken, refused := 0, 0
	for _, text := range valid() {
		for range 60 {
			list := []spawn.Option{garbled(r, text)}
			refusal := says.Check(list)
			o, err := Parse(list)
			known := err != nil && slices.ContainsFunc(mistaken(), func(m string) bool { return strings.Contains(err.Error(), m) })
			switch {
			case refusal != nil && err == nil:
				t.Errorf("%q: the schema alone refuses it: %v", list, refusal)
			case refusal == nil && err != nil && !known:
				t.Errorf("%q: the parser alone refuses it: %v", list, err)
			case err != nil && !errors.Is(err, spawn.ErrBadOption):
				t.Errorf("%q: %v; want a bad option", list, err)
			case err != nil:
				refused++
			default:
				taken++
				if again, err := Parse(o.List()); err != nil || !cmp.Equal(o, again) {
					t.Errorf("%q: there and back: %v\n%s", list, err, cmp.Diff(o, again))
				}
			}
		}
		if _, err := Parse([]spawn.Option{given(text)}); err != nil && !strings.Contains(err.Error(), "needs") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if taken < 200 || refused < 200 {
		t.Errorf("%d taken, %d refused: the inputs say little", taken, refused)
	}
}

func given(text string) spawn.Option {
	key, value, _ := strings.Cut(text, "=")
	return spawn.Option{Key: key, Value: value}
}

// garbled returns an option with up to three of its value's bytes changed.
func garbled(r *rand.Rand, text string) spawn.Option {
	const letters = "\x00/.:,=-+\\ 0159akmoprsw%\xff"
	o := given(text)
	v := []byte(o.Value)
	for range r.IntN(4) {
		at, b := r.IntN(len(v)+1), letters[r.IntN(len(letters))]
		switch what := r.IntN(3); {
		case at == len(v) || what == 0:
			v = slices.Insert(v, at, b)
		case what == 1:
			v[at] = b
		default:
			v = slices.Delete(v, at, at+1)
		}
	}
	o.Value = string(v)
	return o
}

func TestAllMistakesAtOnce(t *testing.T) {
	var list []spawn.Option
	for _, text := range []string{"memroy=1g", "profile=hots", "pids=0", "bind=x", "landlock=exce:/usr", "best_effort=oi,seccomp"} {
		list = append(list, given(text))
	}
	_, err := Parse(list)
	for _, want := range []string{`did you mean "memory"?`, `did you mean "host"?`, "pids=0: want a number of processes", "bind=x: want SRC", `did you mean "exec"?`, "best_effort=oi,seccomp: want"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
	_, err = Parse([]spawn.Option{given("overlay=true"), given("ids=0:5"), given("bind=/a:/proc/x")})
	for _, want := range []string{"overlay needs root=DIR", "0 is root's", "bind=/proc/x: nothing can be put into /proc"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
}
