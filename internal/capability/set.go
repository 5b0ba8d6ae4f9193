package capability

import (
	"fmt"
	"slices"
	"strings"
)

// A Set is a set of capabilities: bit n is capability number n.
type Set uint64

// Last is the highest number that has a name here, CAP_CHECKPOINT_RESTORE of
// Linux 5.9.
const Last = 40

// names are the capabilities in the order of their numbers.
func names() []string {
	return strings.Fields(`chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap
		linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner
		sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource
		sys_time sys_tty_config mknod lease audit_write audit_control setfcap
		mac_override mac_admin syslog wake_alarm block_suspend audit_read
		perfmon bpf checkpoint_restore`)
}

// All returns the capabilities that have names.
func All() Set { return 1<<(Last+1) - 1 }

// Names returns all names, "cap_chown" first.
func Names() []string {
	all := names()
	for i, n := range all {
		all[i] = "cap_" + n
	}
	return all
}

// Number returns the number of a capability by its name, in capitals or not, with
// "cap_" before it or not.
func Number(name string) (n int, ok bool) {
	n = slices.Index(names(), strings.TrimPrefix(strings.ToLower(name), "cap_"))
	return n, n >= 0
}

// Parse returns the set of the names in a text, separated by commas. "all" is
// all of them, "none" and "" are none.
func Parse(text string) (Set, error) {
	switch strings.ToLower(text) {
	case "", "none":
		return 0, nil
	case "all":
		return All(), nil
	}
	var s Set
	for name := range strings.SplitSeq(text, ",") {
		n, ok := Number(strings.TrimSpace(name))
		if !ok {
			return 0, fmt.Errorf("there is no capability %q: they are %s", name, strings.Join(Names(), ", "))
		}
		s |= 1 << n
	}
	return s, nil
}

// Has reports whether capability n is in the set.
func (s Set) Has(n int) bool { return s>>n&1 != 0 }

// String returns the names, separated by commas, in a form that Parse takes; of
// capabilities without a name it returns the number.
func (s Set) String() string {
	if s == 0 {
		return "none"
	}
	var out []string
	all := Names()
	for n := range 64 {
		switch {
		case !s.Has(n):
		case n <= Last:
			out = append(out, all[n])
		default:
			out = append(out, fmt.Sprint(n))
		}
	}
	return strings.Join(out, ",")
}
