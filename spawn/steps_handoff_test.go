package spawn

import (
	"reflect"
	"testing"
	"time"
)

func TestHandoff(t *testing.T) {
	for _, want := range []Template{
		{Kind: PoolTemplate},
		{Kind: ForkTemplate, Args: []string{"python3", "-c", "a\nb"}, Env: []string{"A=b", "HOME", "LC_*"}, Min: 1, Max: 4, Idle: time.Minute, Memory: 1 << 20, Required: true},
		{Kind: ForkTemplate, Here: true},
	} {
		p := &Plan{Steps: []Step{Handoff(want), Clone(0), Exec(HolePath.Arg())}}
		b, err := p.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		var q Plan
		if err := q.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if got, ok := q.Steps[0].Template(); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, got %+v, want %+v", ok, got, want)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	good := Handoff(Template{Kind: PoolTemplate})
	with := func(i int, a Arg) Step {
		s := Step{Op: good.Op, Args: append([]Arg(nil), good.Args...)}
		s.Args[i] = a
		return s
	}
	for name, s := range map[string]Step{
		"another step":      Setsid(),
		"no arguments":      {Op: OpHandoff},
		"another kind":      with(0, Str("thread")),
		"a number for text": with(1, Int(1)),
		"text for a number": with(4, Str("1")),
		"less than none":    with(3, Int(-1)),
		"most below least":  with(3, Int(1)),
	} {
		if got, ok := s.Template(); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
