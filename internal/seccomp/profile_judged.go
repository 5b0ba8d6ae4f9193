package seccomp

// The flags of clone(2) and unshare(2) that make a namespace. That of time is
// one of unshare alone: in clone its bit is part of a signal's number.
const (
	newTime       = 0x80
	newNamespaces = 0x7e02_0000
)

// judged are the calls that depend on their arguments. Where the kernel takes an
// int, the high half of the register is not looked at, here as there.
func judged(refuse Action) []Group {
	return []Group{
		{"threads and processes", "namespaces of one's own would give all capabilities in them, and what of the kernel only those reach", []Rule{
			{[]string{"clone"}, []Condition{None(0, newNamespaces)}, Allow},
			{[]string{"unshare"}, []Condition{None(0, newNamespaces|newTime)}, Allow},
			{[]string{"clone", "unshare"}, nil, refuse},
		}},
		{"calls to do without", "their flags are in memory, where a filter cannot see them: programs use the older call", each(Errno(enosys), `clone3`)},
		{"devices", "files of types but devices", append(
			fileTypes("mknod", 1), append(fileTypes("mknodat", 2), each(refuse, `mknod mknodat`)...)...)},
		{"requests to devices", "typing into the terminal for its owner (TIOCSTI), pasting into the console (TIOCLINUX), loading line disciplines (TIOCSETD)",
			append(requests(refuse), each(Allow, `ioctl`)...)},
		{"descriptors", "a lease on a file, or a delegation, holds up for 45 seconds whoever opens it, and that again and again: it takes no right to write",
			append(leases(refuse), each(Allow, `fcntl`)...)},
		{"personalities", "asking (0xffffffff), and Linux's own with another version number (0x20000), machine name (8) or without address randomisation (0x40000)", []Rule{
			{[]string{"personality"}, []Condition{Low(0, 0xffff_ffff)}, Allow},
			{[]string{"personality"}, []Condition{{Arg: 0, Op: MaskedEqual, Mask: 0xffff_ffff &^ (0x20000 | 0x40000 | 8)}}, Allow},
			{[]string{"personality"}, nil, refuse},
		}},
		{"making sockets", "seldom used families and protocols are where attacks on the kernel begin, and are loaded as modules on request", sockets()},
	}
}

// requests are the refused ones to devices.
func requests(refuse Action) []Rule {
	var all []Rule
	for _, number := range []uint32{0x5412, 0x541c, 0x5423} { // TIOCSTI, TIOCLINUX, TIOCSETD
		all = append(all, Rule{[]string{"ioctl"}, []Condition{Low(1, number)}, refuse})
	}
	return all
}

// leases are F_SETLEASE, and F_SETDELEG of Linux 6.19.
func leases(refuse Action) []Rule {
	var all []Rule
	for _, command := range []uint32{1024, 1040} {
		all = append(all, Rule{[]string{"fcntl"}, []Condition{Low(1, command)}, refuse})
	}
	return all
}

// fileTypes allow what a mode may say but a device: nothing, a regular file, a
// pipe, a socket.
func fileTypes(name string, arg int) []Rule {
	var all []Rule
	for _, t := range []uint64{0, 0x8000, 0x1000, 0xc000} {
		all = append(all, Rule{[]string{name}, []Condition{{Arg: arg, Op: MaskedEqual, Mask: 0xf000, Value: t}}, Allow})
	}
	return all
}

// sockets are the rules of socket and socketpair: local sockets, TCP with its
// multipath kind, UDP and ping, and the routing table.
func sockets() []Rule {
	const (
		unix, inet, netlink = 1, 2, 16 // inet6 is 10: the same but for a bit
		stream, datagram    = 1, 2
		raw                 = 3
		tcp, mptcp          = 6, 262
		udp, icmp, icmpv6   = 17, 1, 58
	)
	internet := Condition{Arg: 0, Op: MaskedEqual, Mask: 0xffff_fff7, Value: inet}
	kind := func(k uint64) Condition { return Condition{Arg: 1, Op: MaskedEqual, Mask: 0xf, Value: k} }
	call := []string{"socket"}
	all := []Rule{
		{[]string{"socket", "socketpair"}, []Condition{Low(0, unix)}, Allow},
		{[]string{"socketpair"}, nil, Errno(eafnosupport)},
		{call, []Condition{Low(0, netlink), Low(2, 0)}, Allow}, // NETLINK_ROUTE
		{call, []Condition{Low(0, netlink)}, Errno(eprotonosupport)},
	}
	for _, p := range []uint32{0, tcp, mptcp} {
		all = append(all, Rule{call, []Condition{internet, kind(stream), Low(2, p)}, Allow})
	}
	for _, p := range []uint32{0, udp, icmp, icmpv6} {
		all = append(all, Rule{call, []Condition{internet, kind(datagram), Low(2, p)}, Allow})
	}
	return append(all,
		Rule{call, []Condition{internet, kind(raw)}, Errno(eperm)},
		Rule{call, []Condition{internet}, Errno(eprotonosupport)},
		Rule{call, nil, Errno(eafnosupport)})
}
