package oci

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/internal/seccomp"
)

// entry adds a rule to the filter, if it counts on this machine.
func (r *reader) entry(i int, raw json.RawMessage) error {
	var e entry
	if err := decode(raw, &e); err != nil {
		return err
	}
	if e.Name != "" {
		if len(e.Names) > 0 {
			return errors.New("it has name and names: put all into names")
		}
		e.Names = []string{e.Name}
	}
	if len(e.Names) == 0 {
		return errors.New("names is missing: the system calls that it decides")
	}
	action, err := r.action(e.Action, e.ErrnoRet, e.Errno)
	if err != nil {
		return fmt.Errorf("%q: action: %w", e.Names[0], err)
	}
	when, err := conditions(e.Args)
	if err != nil {
		return fmt.Errorf("%q: %w", e.Names[0], err)
	}
	if counts, err := r.counts(&e); err != nil || !counts {
		return err
	}
	rule := seccomp.Rule{If: when, Action: action}
	for _, name := range e.Names {
		if !seccomp.Known(name) {
			if err := r.unknown(i, name, action); err != nil {
				return err
			}
			continue
		}
		if err := r.decide(i, name, rule); err != nil {
			return err
		}
		rule.Names = append(rule.Names, name)
	}
	if len(rule.Names) > 0 {
		r.out.Filter.Rules = append(r.out.Filter.Rules, rule)
	}
	return nil
}

// unknown is about a name that no architecture has: misspelled, or newer than
// this program.
func (r *reader) unknown(i int, name string, action seccomp.Action) error {
	if action.Stricter(r.out.Filter.Default) {
		return fmt.Errorf("there is no system call %q, so it cannot be refused: correct the name, or leave it out", name)
	}
	r.note("syscalls[%d]: there is no system call %q: if a later kernel has it, it is treated as unknown", i, name)
	return nil
}

// decide finds rules that never get to decide.
func (r *reader) decide(i int, name string, rule seccomp.Rule) error {
	before, ok := r.decided[name]
	if ok && rule.Action.Stricter(before.action) {
		return fmt.Errorf("%q: syscalls[%d] has let it happen already, whatever the arguments: the first rule that fits decides, so put this one before it", name, before.entry)
	}
	if ok && rule.Action != before.action {
		r.note("syscalls[%d]: %q was decided by syscalls[%d]: %v", i, name, before.entry, before.action)
	}
	if !ok && len(rule.If) == 0 {
		r.decided[name] = decision{i, rule.Action}
	}
	return nil
}

// conditions translates those of a rule.
func conditions(args []argument) ([]seccomp.Condition, error) {
	ops := map[string]seccomp.Op{
		"SCMP_CMP_NE": seccomp.NotEqual, "SCMP_CMP_LT": seccomp.Less, "SCMP_CMP_LE": seccomp.LessOrEqual, "SCMP_CMP_EQ": seccomp.Equal,
		"SCMP_CMP_GE": seccomp.GreaterOrEqual, "SCMP_CMP_GT": seccomp.Greater, "SCMP_CMP_MASKED_EQ": seccomp.MaskedEqual,
	}
	var all []seccomp.Condition
	seen := make(map[int]bool)
	for i, a := range args {
		op, ok := ops[a.Op]
		if !ok {
			return nil, fmt.Errorf("args[%d]: op %q: there are SCMP_CMP_NE, _LT, _LE, _EQ, _GE, _GT and _MASKED_EQ", i, a.Op)
		}
		c := seccomp.Condition{Arg: a.Index, Op: op, Value: a.Value}
		if op == seccomp.MaskedEqual {
			c.Mask, c.Value = a.Value, a.ValueTwo
		} else if a.ValueTwo != 0 {
			return nil, fmt.Errorf("args[%d]: valueTwo is for SCMP_CMP_MASKED_EQ, where value is the mask", i)
		}
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("args[%d]: %w", i, err)
		}
		if seen[a.Index] {
			return nil, fmt.Errorf("args[%d]: a second condition on argument %d: if one of them is to be enough, write two rules", i, a.Index)
		}
		seen[a.Index] = true
		all = append(all, c)
	}
	return all, nil
}

// action translates an action and its error.
func (r *reader) action(name string, number *uint16, errno string) (seccomp.Action, error) {
	if name != "SCMP_ACT_ERRNO" && (number != nil || errno != "") {
		return 0, fmt.Errorf("an error is given, which goes with SCMP_ACT_ERRNO, not %q", name)
	}
	switch name {
	case "SCMP_ACT_ALLOW":
		return seccomp.Allow, nil
	case "SCMP_ACT_LOG":
		return seccomp.Log, nil
	case "SCMP_ACT_TRAP":
		return seccomp.Trap, nil
	case "SCMP_ACT_KILL_PROCESS":
		return seccomp.KillProcess, nil
	case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD":
		r.note("%s ends the whole process, not one thread", name)
		return seccomp.KillProcess, nil
	case "SCMP_ACT_ERRNO":
		return refusal(number, errno)
	case "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY":
		return 0, fmt.Errorf("%s needs somebody outside who answers: there is nobody; SCMP_ACT_ERRNO refuses", name)
	}
	return 0, fmt.Errorf("%q: there are SCMP_ACT_ALLOW, _LOG, _ERRNO, _TRAP, _KILL_PROCESS and _KILL", name)
}

// refusal returns the action of an error, EPERM if none is given. Podman writes
// number and name, of which the number counts.
func refusal(number *uint16, name string) (seccomp.Action, error) {
	const most = 4095
	if number != nil {
		if *number > most {
			return 0, fmt.Errorf("errnoRet %d: errors are 0 to %d", *number, most)
		}
		return seccomp.Errno(*number), nil
	}
	known := map[string]uint16{"": 1, "EPERM": 1, "EACCES": 13, "EINVAL": 22, "ENOSYS": 38, "EOPNOTSUPP": 95, "EAFNOSUPPORT": 97}
	n, ok := known[name]
	if !ok {
		return 0, fmt.Errorf("errno %q: say it by number, as errnoRet", name)
	}
	return seccomp.Errno(n), nil
}
