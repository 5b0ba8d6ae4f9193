//go:build linux

package main

import (
	"os/exec"
	"testing"
)

// TestTerminalOfASandbox: a program in a sandbox stops, goes on and is interrupted
// by keys, as a job of a shell, although its process 1 does none of that.
func TestTerminalOfASandbox(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash: ", err)
	}
	if out, err := hatchery(t, "probe", "isolate").CombinedOutput(); err != nil {
		t.Skipf("%v: %s", err, out)
	}
	cmd := hatchery(t)
	shell := exec.Command(bash, "--norc", "--noprofile", "-i")
	shell.Env, shell.Dir = append(cmd.Env, "PS1="+outerPrompt, "TERM=dumb"), t.TempDir()
	term := start(t, shell)
	term.sees(outerPrompt)
	const script = `trap "echo inter""rupted; exit 7" INT; echo rea""dy; read x; echo got $x; read y`
	term.types(cmd.Path + " run --spawn-backend=isolate --dir=/ -- sh -c '" + script + "'\n")
	term.sees("ready")
	term.types(ctrlZ)
	term.sees("Stopped")
	term.sees(outerPrompt)
	term.types("echo still h''ere; fg\n")
	term.sees("still here")
	term.types("words\n")
	term.sees("got words")
	term.types(ctrlC)
	term.sees("interrupted")
	term.sees(outerPrompt)
	term.types("echo code $?; exit 0\n")
	term.sees("code 7")
	term.ends(0)
}
