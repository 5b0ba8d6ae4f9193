package backendtest

import (
	"os"
	"os/signal"
	"syscall"
)

func signalCases() []Case {
	return []Case{{
		Name: "signals-default",
		Doc: "A child starts with no signal blocked, none pending and none ignored, also when the host ignores some and its keeper was " +
			"started while it did.",
		Needs: []Ability{Programs, Local},
		Run:   signalsDefault,
	}, {
		Name:  "signals-ignored",
		Doc:   "The signals that the Spec wants ignored are ignored in the child, as nohup does it with SIGHUP, and no others.",
		Needs: []Ability{Programs, Ignoring},
		Run:   signalsIgnored,
	}}
}

func signalsDefault(t T, e *Env) {
	signal.Ignore(syscall.SIGUSR1, syscall.SIGUSR2)
	defer func() { // Reset alone would leave them ignored
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2)
		signal.Stop(c)
	}()
	for what, e := range map[string]*Env{"a child of an older host": e, "a child": e.Another(t)} {
		status := e.status(t, what, sh(statusScript))
		for _, field := range []string{"SigPnd", "ShdPnd", "SigBlk", "SigIgn"} {
			if status[field] != "0000000000000000" {
				t.Errorf("%s: %s is %s, want none", what, field, status[field])
			}
		}
	}
}

func signalsIgnored(t T, e *Env) {
	spec := sh(statusScript)
	spec.Ignore = []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2, 40}
	if got, want := e.status(t, "a child that ignores some", spec)["SigIgn"], "0000008000000801"; got != want {
		t.Errorf("SigIgn is %s, want %s: SIGHUP, SIGUSR2 and 40", got, want)
	}
}
