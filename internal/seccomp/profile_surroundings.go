package seccomp

// SharedGroup returns rules for a child in a process group that has members outside
// of its pid namespace. Such a group has no number that the child could name, but 0
// is one's own: by that it could slow the others down and, if signals are not kept from
// them otherwise, end them. A filter cannot tell such a group from one that the child
// has made, and refuses those signals for both.
func SharedGroup(refuse Action, signals bool) Group {
	g := Group{"the own process group", "it has members outside, and 0 names it", []Rule{
		{[]string{"setpriority"}, []Condition{Low(0, 1), Low(1, 0)}, refuse}, // PRIO_PGRP
		{[]string{"ioprio_set"}, []Condition{Low(0, 2), Low(1, 0)}, refuse},  // IOPRIO_WHO_PGRP
	}}
	if signals {
		g.Rules = append(g.Rules, Rule{[]string{"kill"}, []Condition{Low(0, 0)}, refuse})
	}
	return g
}

// SetMode returns rules for a child that may have been handed a file of the host's: it is
// not to make that a program which somebody outside could run as another user, or in
// another group. A folder that hands its group on is made by the same bits, and refused
// too.
func SetMode(refuse Action) Group {
	g := setID()
	for _, call := range []string{"chmod", "fchmod"} {
		g.bits(refuse, call, 1)
	}
	for _, call := range []string{"fchmodat", "fchmodat2"} {
		g.bits(refuse, call, 2)
	}
	return g
}

// SetID returns these rules and those for a child that can also make files in folders
// of the host.
func SetID(refuse Action) Group {
	g := SetMode(refuse)
	for _, call := range []string{"creat", "mknod"} {
		g.bits(refuse, call, 1)
	}
	g.bits(refuse, "mknodat", 2)
	for _, flag := range []uint64{0x40, 0x40_0000} { // O_CREAT, O_TMPFILE: without them there is no mode
		g.bits(refuse, "open", 2, Condition{Arg: 1, Op: MaskedEqual, Mask: flag, Value: flag})
		g.bits(refuse, "openat", 3, Condition{Arg: 2, Op: MaskedEqual, Mask: flag, Value: flag})
	}
	// Its mode is in memory, where a filter cannot see it: programs use the older call.
	g.Rules = append(g.Rules, Rule{[]string{"openat2"}, nil, Errno(enosys)})
	return g
}

func setID() Group {
	return Group{Name: "set-user-ID and set-group-ID", Why: "such a file would work outside, where the mount is another"}
}

// bits adds rules for a call with one of the bits in an argument, and what else there is
// to be.
func (g *Group) bits(refuse Action, call string, arg int, also ...Condition) {
	for _, bit := range []uint64{0o4000, 0o2000} {
		g.Rules = append(g.Rules, Rule{[]string{call}, append([]Condition{{Arg: arg, Op: MaskedEqual, Mask: bit, Value: bit}}, also...), refuse})
	}
}

// Handed returns what the default profile refuses because it concerns the host by way of
// a descriptor, whatever namespaces the child is in: for who has another profile. Those
// of container engines let it pass, as a container has a terminal of its own.
func Handed(refuse Action) Group {
	return Group{Name: "what is the host's", Why: "its terminal, and who opens its files", Rules: append(requests(refuse), leases(refuse)...)}
}
