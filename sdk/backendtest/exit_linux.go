package backendtest

import (
	"fmt"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func exitCases() []Case {
	return []Case{{
		Name:  "exit-codes",
		Doc:   "Every exit code from 0 to 255 is reported as it is, and none as a signal: 137 is not SIGKILL.",
		Needs: []Ability{Programs},
		Run:   exitCodes,
	}, {
		Name: "exit-signals",
		Doc: "Every signal that ends a process by default, the real-time ones included, is reported as what ended the child, with the " +
			"exit code -1 and no code that a shell would make of it.",
		Needs: []Ability{Programs},
		Run:   exitSignals,
	}, {
		Name: "exit-short",
		Doc: "Of children that end at once, by many callers at the same time, no exit is lost, doubled or given to another: each child " +
			"has a code of its own. 208 children, 10 000 in a heavy run.",
		Needs: []Ability{Programs},
		Run:   exitShort,
	}}
}

func exitCodes(t T, e *Env) {
	for code := range 256 {
		s := e.run(t, fmt.Sprintf("exit %d", code), sh(fmt.Sprintf("exit %d", code)))
		if s.Code != code || s.Signal != 0 || s.Source == spawn.Lost {
			t.Errorf("exit %d: reported as %v (%+v)", code, s, s)
		}
	}
}

// deadly returns the signals that end a process by default. 32 and 33 are kept
// by C libraries for themselves.
func deadly() []syscall.Signal {
	var all []syscall.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
			syscall.SIGURG, syscall.SIGWINCH, 32, 33:
		default:
			all = append(all, sig)
		}
	}
	return all
}

func exitSignals(t T, e *Env) {
	for _, sig := range deadly() {
		what := fmt.Sprintf("a child that signal %d ends", int(sig))
		s := e.run(t, what, sh(fmt.Sprintf("ulimit -c 0; kill -%d $$", int(sig))))
		if s.Signal != sig || s.Code != -1 || s.Source == spawn.Lost {
			t.Errorf("%s: reported as %v (%+v)", what, s, s)
		}
	}
}

func exitShort(t T, e *Env) {
	const callers = 16
	each := e.count(208, 10_000) / callers
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for n := range each {
				code := (c*each + n) % 256
				p, err := e.Start(t.Context(), sh(fmt.Sprintf("exit %d", code)))
				if err != nil {
					t.Errorf("a short child: %v", err)
					return
				}
				if s, ok := awaitFor(t, p, patience); !ok || s.Code != code || s.Signal != 0 {
					t.Errorf("a child that exits with %d: %+v, ended %v", code, s, ok)
				}
			}
		})
	}
	wg.Wait()
}
