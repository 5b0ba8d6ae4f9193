//go:build linux

package main

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A layout is how the command stands to the terminal.
type layout struct {
	name  string
	shell bool // it is a job of a shell, else it leads the session itself
	tty   bool
}

// stops reports whether Ctrl-Z stops the command: with --tty it is a key for the
// child, and one that leads the session has nobody who could continue it.
func (l layout) stops() bool { return l.shell && !l.tty }

// A program is what is run, and what is done with it until it has ended.
type program struct {
	name string
	argv func(t *testing.T) []string // may skip the test
	pipe string                      // where its output goes, in a shell
	play func(term *terminal, l layout)
	code int
}

// TestTerminalMatrix has every program do in every layout what it does without
// the command. Afterwards the terminal is as it was.
func TestTerminalMatrix(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash: ", err)
	}
	layouts := []layout{
		{"leader", false, false}, {"leader with --tty", false, true},
		{"job", true, false}, {"job with --tty", true, true},
	}
	for _, p := range programs() {
		for _, l := range layouts {
			if p.pipe != "" && !l.shell {
				continue
			}
			t.Run(p.name+"/"+l.name, func(t *testing.T) { p.run(t, l, bash) })
		}
	}
}

const outerPrompt = "outer> "

func (p program) run(t *testing.T, l layout, bash string) {
	args := []string{"run", "--env", "PS1=" + innerPrompt}
	if l.tty {
		args = append(args, "--tty")
	}
	args = append(append(args, "--"), p.argv(t)...)
	cmd := hatchery(t, args...)
	cmd.Env = append(cmd.Env, "TERM=vt100", "LESS=", "LESSHISTFILE=-", "PYTHON_BASIC_REPL=1")
	if !l.shell {
		term := start(t, cmd)
		term.resize(25, 90)
		p.play(term, l)
		term.ends(p.code)
		term.isAsBefore()
		return
	}
	line := cmd.Path
	for _, a := range args {
		line += " '" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	shell := exec.Command(bash, "--norc", "--noprofile", "-i")
	shell.Env, shell.Dir = append(cmd.Env, "PS1="+outerPrompt), t.TempDir()
	term := start(t, shell)
	term.sees(outerPrompt)
	term.resize(25, 90)
	term.types("stty -a >before\n")
	term.sees(outerPrompt)
	term.types(line + p.pipe + "\n")
	p.play(term, l)
	term.sees(outerPrompt)
	term.types("echo code ${PIPESTATUS[0]}; stty -a >after; cmp before after && echo sa''me\n")
	term.sees("code " + strconv.Itoa(p.code))
	term.sees("same")
	term.sees(outerPrompt)
	term.types("exit 0\n")
	term.ends(0)
}

// A shell in between starts its jobs; its own prompt shows that it has ended.
const innerPrompt = "inner> "

func programs() []program {
	return []program{
		{name: "shell", argv: fixed("bash", "--norc", "--noprofile", "-i"), play: playShell, code: 5},
		{name: "python", argv: fixed("python3", "-q", "-i"), play: playPython},
		{name: "full screen", argv: fullScreen, play: playFullScreen, code: 9},
		{name: "vim", argv: vim, play: playVim},
		{name: "less", argv: less, play: playLess},
		{name: "pager", argv: fixed("seq", "500"), pipe: " | less", play: playPager},
		{name: "interrupt", argv: fixed("sh", "-c", "echo rea''dy; exec sleep 60"), play: playInterrupt, code: 130},
		{name: "ten interrupts", argv: fixed("sh", "-c", `trap 'n=$((n+1)); echo "int $n."' INT; echo rea''dy; while [ "$n" != 10 ]; do sleep 0.02; done; exit 0`), play: playTen},
		{name: "size", argv: fixed("sh", "-c", `trap 'stty size' WINCH; test -t 0 && test -t 1 && test -t 2 && stty size; read x; read x; exit 3`), play: playSize, code: 3},
	}
}

// fixed returns a program of the machine with its arguments.
func fixed(name string, args ...string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("needs %s: %v", name, err)
		}
		return append([]string{path}, args...)
	}
}

func playShell(term *terminal, _ layout) {
	term.sees(innerPrompt)
	term.types(jobLine)
	term.sees("job: up")
	term.types(ctrlZ)
	term.sees("Stopped")
	term.sees(innerPrompt)
	term.types("echo still h''ere; fg\n")
	term.sees("still here")
	term.sees("job: woken")
	term.types(ctrlC)
	term.sees("got")
	term.sees(innerPrompt)
	term.types("sleep 60 &\n")
	term.sees(innerPrompt)
	term.types("seq 500 | less\n")
	term.sees("\r\n20\r\n")
	term.types("q")
	term.sees(innerPrompt)
	term.types("echo \"jobs $(jobs -r | wc -l | tr -d ' ').\"\n")
	term.sees("jobs 1.")
	term.types("kill %1; exit 5\n")
}

func playPython(term *terminal, l layout) {
	for range 10 {
		term.sees(">>> ")
		term.presses(ctrlC, "KeyboardInterrupt")
	}
	term.sees(">>> ")
	term.types("print(6*7); import time; time.sleep(60)\n")
	term.sees("42")
	term.presses(ctrlC, "KeyboardInterrupt")
	term.sees(">>> ")
	term.types(ctrlZ)
	if l.stops() {
		term.sees("Stopped")
		term.sees(outerPrompt)
		term.types("fg\n")
	}
	term.types("print('ba'+'ck')\n")
	term.sees("back")
	term.sees(">>> ")
	term.types(ctrlD)
}

// fullScreen is a program that is there wherever Python is.
func fullScreen(t *testing.T) []string {
	argv := fixed("python3")(t)
	if out, err := exec.Command(argv[0], "-c", "import curses; curses.setupterm('vt100', 1)").CombinedOutput(); err != nil {
		t.Skipf("needs Python with curses: %v\n%s", err, out)
	}
	return append(argv, "-c", `
import curses, os, signal, sys
interrupts = []
signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
def main(s):
    def show(text):
        s.clear(); s.addstr(0, 0, text); s.refresh()
        os.write(1, b'<idle>') # Ctrl-Z in the middle of a refresh is more than curses can take
    s.timeout(20) # a signal that comes just before it waits would be missed
    show('size_%d_%d.' % s.getmaxyx())
    while True:
        key = s.getch()
        if interrupts:
            interrupts.clear()
            show('interrupted.')
        if key == curses.KEY_RESIZE:
            show('resized_%d_%d.' % s.getmaxyx())
        elif key == ord('q'):
            sys.exit(9)
        elif key != -1:
            show('key_%d.' % key)
curses.wrapper(main)`)
}

func playFullScreen(term *terminal, l layout) {
	term.sees("size_25_90.")
	term.sees("<idle>")
	term.types("x")
	term.sees("key_120.")
	term.sees("<idle>")
	term.types(ctrlC)
	term.sees("interrupted.")
	term.sees("<idle>")
	term.resize(30, 100)
	term.sees("resized_30_100.")
	term.sees("<idle>")
	if l.stops() {
		term.types(ctrlZ)
		term.sees("Stopped")
		term.sees(outerPrompt)
		term.types("fg\n")
		term.sees("resized_30_100.")
	}
	term.types("y")
	term.sees("key_121.")
	term.sees("<idle>")
	term.types("\x1b[A")
	term.sees("key_65.")
	term.sees("<idle>")
	// The size goes back to what it was, to be compared.
	term.resize(25, 90)
	term.sees("resized_25_90.")
	term.sees("<idle>")
	term.types("q")
}

func vim(t *testing.T) []string {
	argv := fixed("vim", "-u", "NONE", "-i", "NONE", "-n")(t)
	return append(argv, filepath.Join(t.TempDir(), "note"))
}

func playVim(term *terminal, l layout) {
	term.sees("[New")
	term.types("isome words")
	term.sees("words")
	term.types("\x1b")
	if l.stops() {
		term.types(ctrlZ)
		term.sees("Stopped")
		term.sees(outerPrompt)
		term.types("fg\n")
		term.sees("some words")
	}
	term.types(":r !echo mo''re\r")
	term.sees("more")
	term.types(":wq\r")
}

func less(t *testing.T) []string {
	path := filepath.Join(t.TempDir(), "lines")
	var text strings.Builder
	for n := range 500 {
		text.WriteString("line " + strconv.Itoa(n) + ".\n")
	}
	write(t, path, text.String(), 0o644)
	return append(fixed("less")(t), path)
}

func playLess(term *terminal, l layout) {
	term.sees("line 1.")
	term.types("G")
	term.sees("line 499.")
	if l.stops() {
		term.types(ctrlZ)
		term.sees("Stopped")
		term.sees(outerPrompt)
		term.types("fg\n")
		term.sees("line 499.")
	}
	term.types("g")
	term.sees("line 1.")
	term.types("q")
}

// A pager takes the keys, though the command is in the foreground as well.
func playPager(term *terminal, _ layout) {
	term.sees("\r\n20\r\n")
	term.types("G")
	term.sees("\r\n500\r\n")
	term.types("q")
}

func playInterrupt(term *terminal, _ layout) {
	term.sees("ready")
	term.types(ctrlC)
}

func playTen(term *terminal, _ layout) {
	term.sees("ready")
	for n := range 10 {
		term.types(ctrlC)
		term.sees("int " + strconv.Itoa(n+1) + ".")
	}
}

func playSize(term *terminal, _ layout) {
	term.sees("25 90")
	term.resize(7, 33)
	term.sees("7 33")
	term.resize(25, 90)
	term.sees("25 90")
	term.types("\n\n")
}
