package backendtest

import (
	"os"
	"strings"
)

func byteCases() []Case {
	return []Case{{
		Name: "bytes-arguments",
		Doc: "Arguments arrive byte for byte and in their order: empty ones, invalid UTF-8, newlines, quotes, what looks like an option; " +
			"argv[0] is the caller's.",
		Needs: []Ability{Programs, Local},
		Run:   bytesArguments,
	}, {
		Name: "bytes-environment",
		Doc: "The environment is exactly what was asked for, in its order: a variable twice, an empty one, one without a name, an entry " +
			"without =, invalid UTF-8. Nothing is added, no variable of the plugin protocol above all. An empty one is empty, and one " +
			"that was left open is the host's.",
		Needs: []Ability{Programs, Local},
		Run:   bytesEnvironment,
	}}
}

func bytesArguments(t T, e *Env) {
	// The shell is looked at by a child of its own: only the kernel knows
	// what it was really given.
	script := "cat /proc/$$/cmdline; :"
	odd := []string{"", "a b", "\xff\xfe", "new\nline", "=", "--", "-c", "ünïcode", "$HOME", `"'\`, "*", ""}
	spec := sh(script, odd...)
	spec.Args[0] = "\xffsh -x"
	want := strings.Join(spec.Args, "\x00") + "\x00"
	if got := e.output(t, "odd arguments", spec); got != want {
		t.Errorf("the child's arguments are\n%q, want\n%q", got, want)
	}
}

func bytesEnvironment(t T, e *Env) {
	odd := []string{"PATH=/usr/bin:/bin", "A=1", "A=2", "EMPTY=", "=odd", "novalue", "", "BYTES=\xff\x80", "NL=a\nb", "LAST=z"}
	for name, env := range map[string][]string{"an odd environment": odd, "no environment": {}, "the host's environment": nil} {
		spec := sh("cat /proc/$$/environ; :")
		spec.Env = env
		if env == nil {
			env = os.Environ()
		}
		want := ""
		for _, v := range env {
			want += v + "\x00"
		}
		if got := e.output(t, name, spec); got != want {
			t.Errorf("%s: the child has\n%q, want\n%q", name, got, want)
		}
	}
}
