//go:build linux

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// isRaw reports whether keys go to the command as they are.
func (term *terminal) isRaw() bool { return term.mode().Lflag&syscall.ICANON == 0 }

// However it ends, the terminal is as it was.
func TestTTYGivesTheTerminalBack(t *testing.T) {
	const forever = `echo ready; while :; do sleep 0.02; done`
	signal := func(sigs ...syscall.Signal) func(*terminal) {
		return func(term *terminal) {
			for _, s := range sigs {
				term.cmd.Process.Signal(s)
			}
		}
	}
	for name, tt := range map[string]struct {
		args   []string
		script string
		do     func(*terminal)
		code   int
	}{
		"exit":                     {script: `echo ready; exit 7`, code: 7},
		"crash":                    {script: `echo ready; kill -SEGV $$`, code: 128 + 11},
		"SIGKILL":                  {script: `echo ready; kill -KILL $$`, code: 128 + 9},
		"a mode of its own":        {script: `stty raw -echo; echo ready`, code: 0},
		"timeout":                  {args: []string{"--timeout", "1s"}, script: forever, code: 124},
		"timeout, and more":        {args: []string{"--timeout", "1s", "--grace", "100ms"}, script: `trap "" TERM; ` + forever, code: 124},
		"SIGTERM":                  {script: forever, do: signal(syscall.SIGTERM), code: 128 + 15},
		"SIGHUP":                   {script: forever, do: signal(syscall.SIGHUP), code: 128 + 1},
		"SIGINT from elsewhere":    {script: forever, do: signal(syscall.SIGINT), code: 128 + 2},
		"SIGQUIT from elsewhere":   {script: `ulimit -c 0; ` + forever, do: signal(syscall.SIGQUIT), code: 128 + 3},
		"a child that will not":    {args: []string{"--grace", "200ms"}, script: `trap "" TERM; ` + forever, do: signal(syscall.SIGTERM), code: 128 + 9},
		"a second signal":          {args: []string{"--grace", "1m"}, script: `trap "" TERM INT; ` + forever, do: signal(syscall.SIGTERM, syscall.SIGINT), code: 128 + 9},
		"Ctrl-C":                   {script: forever, do: func(term *terminal) { term.types(ctrlC) }, code: 128 + 2},
		"a descendant holds on":    {script: `trap "" HUP; sleep 60 & echo ready`, code: 0},
		"the keeper was killed":    {script: forever, do: killKeeper, code: 125},
		"SIGTSTP that cannot stop": {script: forever, do: func(term *terminal) { term.cmd.Process.Signal(syscall.SIGTSTP); term.types(ctrlC) }, code: 128 + 2},
	} {
		t.Run(name, func(t *testing.T) {
			term := onTerminal(t, append(append([]string{"run", "--tty"}, tt.args...), "--", "sh", "-c", tt.script)...)
			term.sees("ready")
			if tt.do != nil {
				if !term.isRaw() {
					t.Error("the terminal is not in raw mode")
				}
				tt.do(term)
			}
			term.ends(tt.code)
			term.isAsBefore()
		})
	}
	for name, args := range map[string][]string{
		"not found": {"run", "--tty", "--", "/no/such/program"},
		"no folder": {"run", "--tty", "--dir", "/no/such/folder", "--", "sh"},
		"blocked":   {"run", "--tty", "--spawn-backend", "go_fork", "--", "sh"},
	} {
		t.Run(name, func(t *testing.T) {
			term := onTerminal(t, args...)
			term.sees("hatchery: ")
			if term.cmd.Wait(); term.cmd.ProcessState.ExitCode() < 120 {
				t.Error(term.cmd.ProcessState)
			}
			term.isAsBefore()
		})
	}
}

func killKeeper(term *terminal) {
	for _, pid := range linux.Children(term.cmd.Process.Pid) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// aPanic is a program with a terminal for a child that panics, in one of the
// goroutines of a tty.
func aPanic() {
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	t, err := openTTY(a)
	if err != nil {
		panic(err)
	}
	t.user.enter()
	go t.guarded(func() {
		os.Stdout.WriteString("ready\n")
		os.Stdin.Read(make([]byte, 1))
		panic("on purpose")
	})
	select {}
}

func TestTTYPanic(t *testing.T) {
	cmd := hatchery(t)
	cmd.Path = filepath.Join(filepath.Dir(cmd.Path), "a-panic")
	cmd.Args = []string{"a-panic"}
	term := start(t, cmd)
	term.sees("ready")
	if !term.isRaw() {
		t.Error("the terminal is not in raw mode")
	}
	term.types("x")
	term.sees("panic: on purpose\r\n")
	term.ends(2)
	term.isAsBefore()
}

// shellOnTerminal starts a shell with job control.
func shellOnTerminal(t *testing.T) *terminal {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash: ", err)
	}
	h := hatchery(t)
	shell := exec.Command(bash, "--norc", "--noprofile", "-i")
	shell.Env, shell.Dir = append(h.Env, "PS1="+outerPrompt, "TERM=dumb", "H="+h.Path), t.TempDir()
	term := start(t, shell)
	term.sees(outerPrompt)
	return term
}

// reads is a program that shows each line it gets, and the size when that
// changes.
const reads = `'trap "stty size" WINCH; echo rea""dy; while :; do read x && echo "got $x." && test "$x" = end && exit 5; done'`

// One that is stopped and continued gives the terminal to the shell and takes
// it again, with the size that it has by then.
func TestTTYStoppedAndContinued(t *testing.T) {
	for _, sig := range []string{"TSTP", "STOP"} {
		t.Run(sig, func(t *testing.T) {
			term := shellOnTerminal(t)
			term.types("stty -a >before; $H run --tty -- sh -c " + reads + "\n")
			term.sees("ready")
			pids := linux.Children(term.cmd.Process.Pid)
			for n := range 3 {
				if len(pids) != 1 || !term.isRaw() {
					t.Fatalf("processes %v, raw mode %v", pids, term.isRaw())
				}
				term.types("one\r")
				term.sees("got one.")
				if sig == "TSTP" {
					syscall.Kill(pids[0], syscall.SIGTSTP)
				} else {
					syscall.Kill(pids[0], syscall.SIGSTOP)
				}
				term.sees("Stopped")
				term.sees(outerPrompt)
				term.resize(uint16(30+n), 100)
				term.types("stty -a | grep -c -w -e -icanon; echo sh''ell\n")
				term.sees("0")
				term.sees("shell")
				term.sees(outerPrompt)
				term.types("fg\n")
				term.sees(strconv.Itoa(30+n) + " 100")
			}
			term.types("end\r")
			term.sees("got end.")
			term.sees(outerPrompt)
			term.resize(0, 0)
			term.types("echo code $?; stty -a >after; cmp before after && echo sa''me\n")
			term.sees("code 5")
			term.sees("same")
			term.types("exit\n")
			term.ends(0)
		})
	}
}

// In the background it runs, leaves the terminal alone, and is there at once
// when it comes to the foreground.
func TestTTYInTheBackground(t *testing.T) {
	term := shellOnTerminal(t)
	term.types("$H run --tty -- sh -c " + reads + " &\n")
	term.sees("ready")
	term.types("echo sh''ell; jobs\n")
	term.sees("shell")
	term.sees("Running")
	term.types("fg\n")
	term.sees("fg")
	tick := time.NewTicker(5 * time.Millisecond) // there is no event
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !term.isRaw(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("the terminal is not in raw mode")
		}
	}
	term.types("end\r")
	term.sees("got end.")
	term.sees(outerPrompt)
	term.types("echo code $?; exit\n")
	term.sees("code 5")
	term.ends(0)
}

// As the first and last of a pipeline, and redirected.
func TestTTYWithOtherFiles(t *testing.T) {
	for name, tt := range map[string]struct{ stdin, script, want string }{
		"lines":            {"some\nwords\n", `read a; read b; echo "$a $b."`, "some words.\r\n"},
		"end of input":     {"words\n", `stty -echo; cat; echo end`, "words\r\nend\r\n"},
		"no input":         {"", `cat; cat; test -t 0 && test -t 1 && test -t 2 && echo end`, "end\r\n"},
		"a shell":          {"echo en''d\n", "exec bash --norc --noprofile -i", "end\r\n"},
		"much":             {"", "seq 30000", "\r\n29999\r\n30000\r\n"},
		"much, held":       {"", `trap "" HUP; sleep 60 & seq 30000; echo end`, "\r\n30000\r\nend\r\n"},
		"no size":          {"", "stty size", "24 80\r\n"},
		"default signals":  {"", "grep SigIgn /proc/self/status", "SigIgn:\t0000000000000000\r\n"},
		"only its own":     {"", "exec ls -x /proc/self/fd", "0  1  2  3\r\n"},
		"written to error": {"", "echo error >&2", "error\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := hatchery(t, "run", "--tty", "--timeout", "20s", "--", "sh", "-c", tt.script)
			cmd.Stdin = strings.NewReader(tt.stdin)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			out, errOut, code := result(t, cmd)
			if code != 0 || !strings.Contains(out, tt.want) || errOut != "" {
				t.Errorf("code %d, %q, %q; want %q", code, out[max(0, len(out)-400):], errOut, tt.want)
			}
		})
	}
}

func TestTTYOutputElsewhere(t *testing.T) {
	term := shellOnTerminal(t)
	term.types("$H run --tty -- sh -c 'tty >&2; echo to the file; read x; echo got $x; exit 4' >out\n")
	term.types("words\n")
	term.sees(outerPrompt)
	term.types("echo code $?; tr -d '\\r' <out\n")
	term.sees("code 4")
	term.sees("/dev/pts/")
	term.sees("to the file\r\n")
	term.sees("got words\r\n")
	term.types("exit\n")
	term.ends(0)
}

// A reader that is gone hangs the child's terminal up.
func TestTTYOutputIntoAClosedPipe(t *testing.T) {
	cmd := hatchery(t, "run", "--tty", "--", "sh", "-c", "while :; do echo line; sleep 0.01; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errOut bytes.Buffer
	cmd.Stderr, cmd.SysProcAttr = &errOut, &syscall.SysProcAttr{Setsid: true}
	s := &session{t: t, cmd: cmd}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.ReadFull(out, make([]byte, 10))
	out.Close()
	if took := s.ends(128 + 1); took > 4*time.Second || errOut.Len() > 0 {
		t.Errorf("it took %v, and says %q", took, &errOut)
	}
}

func TestTTYOutputThatCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full: ", err)
	}
	defer full.Close()
	cmd := hatchery(t, "run", "--tty", "--", "sh", "-c", "while :; do echo line; sleep 0.01; done")
	var errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = full, &errOut, &syscall.SysProcAttr{Setsid: true}
	cmd.Run()
	if cmd.ProcessState.ExitCode() != 128+1 || !strings.Contains(errOut.String(), "no space left") {
		t.Errorf("%v, %q", cmd.ProcessState, &errOut)
	}
}

// A reader that takes nothing does not keep anybody from ending it.
func TestTTYOutputThatNobodyReads(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		end  func(*session)
		code int
	}{
		"SIGTERM": {[]string{"--", "sh", "-c", "echo ready; exec yes"}, func(s *session) { s.signal(syscall.SIGTERM) }, 128 + 15},
		"timeout": {[]string{"--timeout", "1s", "--", "sh", "-c", "echo ready; exec yes"}, func(*session) {}, 124},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, append([]string{"run", "--tty"}, tt.args...)...)
			s.hears("ready")
			tt.end(s)
			if took := s.ends(tt.code); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// Neither does it when the child has ended, and only its output has not.
func TestTTYRestThatNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	for err = nil; err == nil; { // it is full then
		_, err = w.Write(make([]byte, 1))
	}
	done := filepath.Join(t.TempDir(), "done")
	cmd := hatchery(t, "run", "--tty", "--", "sh", "-c", `trap "" TERM; echo output; echo > `+done)
	cmd.Stdout, cmd.SysProcAttr = w, &syscall.SysProcAttr{Setsid: true}
	s := &session{t: t, cmd: cmd}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	appears(t, done)
	s.signal(syscall.SIGTERM)
	if took := s.ends(0); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}

// What happens to the user's terminal happens to the child's.
func TestTTYHangUp(t *testing.T) {
	dir := t.TempDir()
	term := onTerminal(t, "run", "--tty", "--", "sh", "-c", `trap "echo > `+dir+`/hup; exit 3" HUP; echo ready; while :; do sleep 0.02; done`)
	term.sees("ready")
	term.ptmx.Close()
	appears(t, dir+"/hup")
	term.ends(3)
}

func TestTTYReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	term := onTerminal(t, "run", "--tty", "--report", file, "--", "sh", "-c", "exit 6")
	term.ends(6)
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte(`"code":6`)) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestTTYPlan(t *testing.T) {
	out, _, code := result(t, hatchery(t, "plan", "--tty", "--", "cat"))
	session, terminal := strings.Index(out, "setsid()"), strings.Index(out, "tiocsctty(0)")
	if code != 0 || session < 0 || terminal < session || !strings.Contains(out, "0=/dev/pts/") {
		t.Errorf("code %d:\n%s", code, out)
	}
}
