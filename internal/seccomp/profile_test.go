package seccomp

import (
	"slices"
	"testing"
)

// TestEveryCallIsThoughtAbout: each call is in one group, with a rule that
// decides without looking at arguments.
func TestEveryCallIsThoughtAbout(t *testing.T) {
	in := make(map[string][]string)
	groups := Groups(Errno(eperm))
	for _, g := range groups {
		if g.Name == "" || g.Why == "" {
			t.Errorf("a group has the name %q, the reason %q", g.Name, g.Why)
		}
		for _, r := range g.Rules {
			for _, name := range r.Names {
				if len(r.If) == 0 {
					in[name] = append(in[name], g.Name)
				}
			}
		}
	}
	for name, numbers := range syscalls() {
		exists := numbers != [columns]int{absent, absent}
		if groups := in[name]; exists && len(groups) != 1 || !exists && len(groups) != 0 {
			t.Errorf("%s is in the groups %q; it exists here: %v", name, groups, exists)
		}
	}
}

func TestDefaultDoesWhatItSays(t *testing.T) {
	for _, refuse := range []Action{Errno(eperm), KillProcess} {
		for _, on := range []Arch{AMD64, ARM64} {
			program := compare(t, Default(refuse), on)
			total, most := 0, 0
			for n := range uint32(numbered) {
				_, steps, _ := run(program, call{number: n, arch: on.audit()})
				total, most = total+steps, max(most, steps)
			}
			t.Logf("%s, %v: %d instructions; to decide a number %.1f, at most %d", on, refuse, len(program)/instructionSize, float64(total)/numbered, most)
			// What loading costs. The best tree needs fewer; a list of
			// comparisons would need hundreds.
			if total > 14*numbered {
				t.Errorf("%s: %.1f instructions decide a number", on, float64(total)/numbered)
			}
		}
	}
}

func TestDefault(t *testing.T) {
	const dirty = 0xffff_ffff_0000_0000 // what an int argument may have above
	const refuse = KillProcess
	tests := []struct {
		name string
		args [6]uint64
		want Action
	}{
		{"clone", [6]uint64{17}, Allow},
		{"clone", [6]uint64{0x4100 | 17}, Allow},                 // CLONE_VM|CLONE_VFORK
		{"clone", [6]uint64{0x3d0f00}, Allow},                    // a thread
		{"clone", [6]uint64{0x80}, Allow},                        // no namespace here
		{"clone", [6]uint64{0x10000000 | 17}, refuse},            // CLONE_NEWUSER
		{"clone", [6]uint64{dirty | 0x20000 | 17}, refuse},       // CLONE_NEWNS
		{"unshare", [6]uint64{0x400}, Allow},                     // CLONE_FILES
		{"unshare", [6]uint64{0x80}, refuse},                     // CLONE_NEWTIME
		{"clone3", [6]uint64{}, Errno(enosys)},                   //
		{"mknodat", [6]uint64{3, 0, 0o644}, Allow},               //
		{"mknodat", [6]uint64{3, 0, 0x1000 | 0o644}, Allow},      // a pipe
		{"mknodat", [6]uint64{3, 0, 0x6000 | 0o644}, refuse},     // a block device
		{"mknodat", [6]uint64{3, 0, 0xf0000 | 0x2000}, refuse},   // the kernel takes 16 bits
		{"ioctl", [6]uint64{0, 0x5401}, Allow},                   // TCGETS
		{"ioctl", [6]uint64{0, 0x5412}, refuse},                  // TIOCSTI
		{"ioctl", [6]uint64{0, 1<<32 | 0x5412}, refuse},          // the same
		{"ioctl", [6]uint64{0, dirty | 0x541c}, refuse},          // TIOCLINUX
		{"ioctl", [6]uint64{0, 0x5423}, refuse},                  // TIOCSETD
		{"personality", [6]uint64{0}, Allow},                     //
		{"personality", [6]uint64{0xffff_ffff}, Allow},           //
		{"personality", [6]uint64{dirty | 0x60008}, Allow},       //
		{"personality", [6]uint64{0x400000}, refuse},             // READ_IMPLIES_EXEC
		{"socket", [6]uint64{1, 5, 0}, Allow},                    // AF_UNIX
		{"socket", [6]uint64{dirty | 2, 1 | 0x80800}, Allow},     // TCP
		{"socket", [6]uint64{10, 1, 262}, Allow},                 // MPTCP
		{"socket", [6]uint64{10, 2, 58}, Allow},                  // ping
		{"socket", [6]uint64{2, 1, 132}, Errno(eprotonosupport)}, // SCTP
		{"socket", [6]uint64{10, 5, 0}, Errno(eprotonosupport)},  // SCTP
		{"socket", [6]uint64{2, 2, 136}, Errno(eprotonosupport)}, // UDP-Lite
		{"socket", [6]uint64{2, 3, 1}, Errno(eperm)},             // raw
		{"socket", [6]uint64{16, 3, 0}, Allow},                   // NETLINK_ROUTE
		{"socket", [6]uint64{16, 3, 9}, Errno(eprotonosupport)},  // NETLINK_AUDIT
		{"socket", [6]uint64{17, 3, 0}, Errno(eafnosupport)},     // AF_PACKET
		{"socket", [6]uint64{40, 1, 0}, Errno(eafnosupport)},     // AF_VSOCK
		{"socket", [6]uint64{38, 5, 0}, Errno(eafnosupport)},     // AF_ALG
		{"socketpair", [6]uint64{1, 1, 0}, Allow},                //
		{"socketpair", [6]uint64{30, 1, 0}, Errno(eafnosupport)}, // AF_TIPC
	}
	for _, on := range []Arch{AMD64, ARM64} {
		program, err := Assemble(Default(refuse), on)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range tests {
			n, _ := Number(tt.name, on)
			got, _, err := run(program, call{uint32(n), on.audit(), tt.args})
			if err != nil || got != tt.want {
				t.Errorf("%s: %s %#x: %v, %v; want %v", on, tt.name, tt.args, got, err, tt.want)
			}
		}
	}
}

// TestWhatComesBehindTheFilter: steps of a plan and the process 1 of a sandbox
// run under the filter too.
func TestWhatComesBehindTheFilter(t *testing.T) {
	steps := []string{"setsid", "umask", "chdir", "fchdir", "prlimit64", "openat", "openat2", "ioctl", "setpriority", "sched_setaffinity", "setgroups",
		"setresuid", "setresgid", "capset", "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
	for _, on := range []Arch{AMD64, ARM64} {
		if refused := Default(KillProcess).Refused(append(steps, Needed()...), on); refused != nil {
			t.Errorf("%s: the default profile refuses %q", on, refused)
		}
	}
}

func TestRefused(t *testing.T) {
	f := Filter{Default: Log, Rules: []Rule{
		{Names: []string{"clone"}, If: []Condition{None(0, 1)}, Action: Allow},
		{Names: []string{"clone", "execve", "open"}, Action: Errno(1)},
		{Names: []string{"kill"}, If: []Condition{Low(1, 9)}, Action: KillProcess},
	}}
	if got := f.Refused([]string{"clone", "execve", "open", "kill", "read"}, ARM64); !slices.Equal(got, []string{"execve"}) {
		t.Errorf("refused are %q", got)
	}
	if got := (Filter{Default: Errno(38)}).Refused([]string{"open", "read"}, AMD64); !slices.Equal(got, []string{"open", "read"}) {
		t.Errorf("of everything, refused are %q", got)
	}
}

func TestCache(t *testing.T) {
	var c Cache
	f := Default(Errno(eperm))
	one, err := c.Assemble(f, AMD64)
	if want, _ := Assemble(f, AMD64); err != nil || one != want {
		t.Fatalf("the cache made %d bytes of it, %v; want %d", len(one), err, len(want))
	}
	g := f
	g.Rules = slices.Clone(f.Rules)
	g.Rules[0].Action = Log
	other, err := c.Assemble(g, AMD64)
	if err != nil || other == one {
		t.Errorf("another filter has the same program; %v", err)
	}
	if _, err := c.Assemble(Filter{}, AMD64); err == nil {
		t.Error("a filter without a default was taken")
	}
	if n := testing.AllocsPerRun(5, func() { c.Assemble(f, AMD64) }); n > 4 {
		t.Errorf("%v allocations for a program that is there", n)
	}
	for i := range uint16(100) {
		if _, err := c.Assemble(Filter{Default: Errno(i)}, AMD64); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.programs) > cached {
		t.Errorf("%d programs are kept; want at most %d", len(c.programs), cached)
	}
}

func BenchmarkAssemble(b *testing.B) {
	for b.Loop() {
		if _, err := Assemble(Default(Errno(eperm)), AMD64); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCache(b *testing.B) {
	var c Cache
	f := Default(Errno(eperm))
	for b.Loop() {
		if _, err := c.Assemble(f, AMD64); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOwnGroupMayBeSignalled where the kernel keeps others out of it.
func TestOwnGroupMayBeSignalled(t *testing.T) {
	for _, r := range SharedGroup(Errno(eperm), false).Rules {
		if slices.Contains(r.Names, "kill") {
			t.Error("kill is refused")
		}
	}
}

// TestSurroundings: the rules that not every child needs, in front of the profile.
func TestSurroundings(t *testing.T) {
	const dirty = 0xdead_beef_0000_0000
	refuse := Errno(eperm)
	f := Default(refuse)
	f.Rules = append(append(SharedGroup(refuse, true).Rules, SetID(refuse).Rules...), f.Rules...)
	for _, tt := range []struct {
		name string
		args [6]uint64
		want Action
	}{
		{"kill", [6]uint64{0, 9}, refuse},
		{"kill", [6]uint64{dirty, 9}, refuse},
		{"kill", [6]uint64{7, 9}, Allow},
		{"kill", [6]uint64{0xffff_ffff, 9}, Allow},
		{"setpriority", [6]uint64{1, 0, 5}, refuse},
		{"setpriority", [6]uint64{0, 0, 5}, Allow},
		{"setpriority", [6]uint64{1, 7, 5}, Allow},
		{"ioprio_set", [6]uint64{2, dirty, 5}, refuse},
		{"ioprio_set", [6]uint64{1, 0, 5}, Allow},
		{"chmod", [6]uint64{dirty, 0o755}, Allow},
		{"chmod", [6]uint64{dirty, dirty | 0o1777}, Allow},
		{"chmod", [6]uint64{1, dirty | 0o4755}, refuse},
		{"fchmod", [6]uint64{1, 0o2755}, refuse},
		{"fchmodat", [6]uint64{1, 1, 0o6755}, refuse},
		{"fchmodat2", [6]uint64{1, 1, 0o4000}, refuse},
		{"mknodat", [6]uint64{1, 1, 0o104755}, refuse},
		{"mknodat", [6]uint64{1, 1, 0o100755}, Allow},
		{"open", [6]uint64{1, 0o101, 0o4755}, refuse},
		{"openat", [6]uint64{1, 1, 0o101, 0o4755}, refuse},
		{"openat", [6]uint64{1, 1, 0o20200001, 0o2755}, refuse}, // O_TMPFILE
		{"openat", [6]uint64{1, 1, 0o101, 0o755}, Allow},
		{"openat", [6]uint64{1, 1, 1, 0o4755}, Allow}, // whatever is in the register
		{"openat2", [6]uint64{1, 1, 1, 24}, Errno(enosys)},
		{"creat", [6]uint64{1, 0o4755}, refuse},
	} {
		for _, on := range []Arch{AMD64, ARM64} {
			program, err := Assemble(f, on)
			if err != nil {
				t.Fatal(err)
			}
			n, ok := Number(tt.name, on)
			if !ok {
				continue
			}
			if got, _, err := run(program, call{uint32(n), on.audit(), tt.args}); err != nil || got != tt.want {
				t.Errorf("%s: %s %#o: %v, %v; want %v", on, tt.name, tt.args, got, err, tt.want)
			}
		}
	}
}
