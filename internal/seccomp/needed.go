package seccomp

import "slices"

// Needed returns the names of the calls that a child makes behind the filter to
// become its program, and that its process 1 makes after that: a filter that
// refuses one of them lets no program start, or none be reaped. Steps of a plan
// that stand between the filter and the exec need theirs besides.
func Needed() []string {
	return []string{"execve", "execveat", "clone", "dup3", "fcntl", "close", "close_range", "rt_sigaction", "rt_sigprocmask", "getpid", "setpgid", "prctl",
		"read", "wait4", "rt_sigtimedwait", "kill", "write", "exit_group"}
}

// Refused returns those of the names that the filter never lets happen on an
// architecture, whatever their arguments, and that exist there.
func (f Filter) Refused(names []string, on Arch) []string {
	var all []string
	for _, name := range names {
		if _, ok := Number(name, on); ok && !f.lets(name) {
			all = append(all, name)
		}
	}
	return all
}

func (f Filter) lets(name string) bool {
	for _, r := range f.Rules {
		switch named := slices.Contains(r.Names, name); {
		case named && !r.Action.Stricter(Log):
			return true
		case named && len(r.If) == 0:
			return false
		}
	}
	return !f.Default.Stricter(Log)
}
