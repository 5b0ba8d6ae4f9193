//go:build failpoints

package failpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Action is what a process does at a step.
type Action string

// What there is. A process that is stopped stays so until it is sent SIGCONT or
// SIGKILL.
const (
	Note  Action = "note"  // nothing: it is only noted that the step was reached
	Kill  Action = "kill"  // SIGKILL to itself
	Stop  Action = "stop"  // SIGSTOP to itself
	Delay Action = "delay" // wait for Rule.Delay
	Exit  Action = "exit"  // exit with ExitCode, without any ado
	Error Action = "error" // return an error, where the table says that it can
)

// A Rule makes the first process that comes to a step for the Nth time do
// something. There is one rule for a step at most.
type Rule struct {
	Point  Point
	Action Action
	Nth    int           // 0 is the first
	Delay  time.Duration // for Delay
}

// check reports what is wrong with a rule.
func (r Rule) check() error {
	i := slices.IndexFunc(Points(), func(info Info) bool { return info.Point == r.Point })
	switch {
	case i < 0:
		return fmt.Errorf("failpoint: there is no step %q: see Points", r.Point)
	case !slices.Contains([]Action{Note, Kill, Stop, Delay, Exit, Error}, r.Action):
		return fmt.Errorf("failpoint %s: there is no action %q", r.Point, r.Action)
	case r.Action == Error && !Points()[i].Fails:
		return fmt.Errorf("failpoint %s: it cannot return an error", r.Point)
	case r.Nth < 0 || r.Delay < 0:
		return fmt.Errorf("failpoint %s: a negative number", r.Point)
	}
	return nil
}

// Arm makes the processes of a program that start from now on follow rules, and
// no others.
func Arm(program string, rules ...Rule) error {
	var text strings.Builder
	for i, r := range rules {
		if err := r.check(); err != nil {
			return err
		}
		if err := os.Remove(firedPath(program, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		fmt.Fprintln(&text, r.Point, r.Action, r.Nth, r.Delay)
	}
	return os.WriteFile(rulesPath(program), []byte(text.String()), 0o644)
}

// Fired returns the pid of the process that has followed the rule with a number,
// counted from 0, or 0.
func Fired(program string, number int) int {
	b, err := os.ReadFile(firedPath(program, number))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(string(b))
	return pid
}

// read returns the rules for a program.
func read(program string) ([]Rule, error) {
	text, err := os.ReadFile(rulesPath(program))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rules []Rule
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 4 {
			return nil, fmt.Errorf("failpoint: %q is no rule", line)
		}
		nth, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, err
		}
		delay, err := time.ParseDuration(f[3])
		if err != nil {
			return nil, err
		}
		r := Rule{Point: Point(f[0]), Action: Action(f[1]), Nth: nth, Delay: delay}
		if err := r.check(); err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func rulesPath(program string) string { return program + ".failpoints" }

func firedPath(program string, number int) string {
	return rulesPath(program) + "." + strconv.Itoa(number)
}
