package backendtest

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func terminalCases() []Case {
	return []Case{{
		Name: "terminal",
		Doc: "With Spec.Terminal the descriptor that it names is the controlling terminal of the child's new session: the child finds it as " +
			"/dev/tty, is in its foreground, and Ctrl-C on it reaches the child. Without it a new session has none.",
		Needs: []Ability{Programs, Local, Groups, Terminal},
		Run:   terminal,
	}}
}

// needingTerminal returns a Spec that needs a controlling terminal.
func needingTerminal(t T, spec spawn.Spec) (spawn.Spec, bool) {
	_, slave := openTerminal(t)
	zero := 0
	spec.Files = []*os.File{slave, slave, slave}
	spec.Session, spec.Terminal = true, &zero
	return spec, true
}

// openTerminal returns both ends of a new pseudoterminal, which are closed
// when the case is over.
func openTerminal(t T) (master *host.Terminal, slave *os.File) {
	t.Helper()
	master, slave, err := host.OpenTerminal(host.TerminalSize{})
	if err != nil {
		t.Skipf("this machine gives no pseudoterminals: %v", err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

func terminal(t T, e *Env) {
	spec := sh("(: </dev/tty) 2>/dev/null && exit 1; exit 0")
	spec.Session = true
	if s := e.run(t, "a session without a terminal", spec); !s.Success() {
		t.Errorf("a session without Spec.Terminal has a controlling terminal: %v", s)
	}
	master, slave := openTerminal(t)
	script := `tty; cut -d' ' -f1,6,8 /proc/$$/stat; (: </dev/tty) || echo none; echo up; exec sleep 60`
	spec, _ = needingTerminal(t, sh(script))
	spec.Files = []*os.File{slave, slave, slave}
	p := e.mustStart(t, "a child with a terminal", spec)
	said := shown(t, master, "up")
	if want := slave.Name(); !strings.HasPrefix(said, want+"\r\n") {
		t.Errorf("its terminal: %q, want %s", said, want)
	}
	if want := fmt.Sprintf("\n%d %d %d\r\n", p.Pid(), p.Pid(), p.Pid()); !strings.Contains(said, want) {
		t.Errorf("process, session and foreground group: %q, want %q", said, want)
	}
	if _, err := master.Write([]byte{3}); err != nil { // Ctrl-C
		t.Fatalf("%v", err)
	}
	if s, ok := awaitFor(t, p, soon); !ok || s.Signal != syscall.SIGINT {
		t.Errorf("Ctrl-C: %v, ended %v; want signal: interrupt", s, ok)
	}
}

// shown reads from a terminal up to and with the line.
func shown(t T, master *host.Terminal, line string) string {
	t.Helper()
	master.SetReadDeadline(time.Now().Add(patience))
	var said strings.Builder
	for b := make([]byte, 1024); !strings.Contains(said.String(), "\n"+line+"\r\n"); {
		n, err := master.Read(b)
		said.Write(b[:n])
		if err != nil {
			t.Fatalf("reading from the terminal: %v (it has shown %q)", err, said.String())
		}
	}
	return said.String()
}
