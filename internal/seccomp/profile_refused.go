package seccomp

// refused are the calls that the default profile does not let through at all.
func refused(refuse Action) []Group {
	groups := []struct{ name, why, calls string }{
		{"mounts", "the tree was made from outside, and stays", `
			mount umount2 pivot_root chroot move_mount open_tree open_tree_attr
			fsopen fsconfig fsmount fspick mount_setattr`},
		{"namespaces", "leaving the own ones", `setns sethostname setdomainname`},
		{"other processes' memory", "around what ptrace is asked for", `
			process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp`},
		{"kernel programs", "the kernel's largest interpreters and the ones attacked most", `
			bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register`},
		{"keys", "keyrings are counted by user, not by namespace", `add_key request_key keyctl`},
		{"file handles", "they open files by number, behind the back of mounts", `open_by_handle_at`},
		{"watching file systems", "for whole mounts, and of everybody's files", `fanotify_init fanotify_mark`},
		{"the kernel itself", "modules and other kernels", `
			init_module finit_module delete_module kexec_load kexec_file_load reboot`},
		{"the machine", "swap, clocks, quotas, accounting, log, ports, consoles", `
			swapon swapoff settimeofday clock_settime adjtimex clock_adjtime quotactl quotactl_fd acct
			syslog vhangup iopl ioperm modify_ldt lookup_dcookie lsm_set_self_attr`},
		{"pages of others", "moving them between nodes of memory", `migrate_pages move_pages`},
	}
	all := make([]Group, 0, len(groups)+2)
	for _, g := range groups {
		all = append(all, Group{g.name, g.why, each(refuse, g.calls)})
	}
	return append(all,
		Group{"new and not needed", "programs do without them, as on the kernels before", each(Errno(enosys), `
			statmount listmount listns`)},
		Group{"gone", "calls of the past, most of which no kernel answers any more", each(Errno(enosys), `
			_sysctl afs_syscall create_module epoll_ctl_old epoll_wait_old get_kernel_syms get_thread_area
			getpmsg nfsservctl putpmsg query_module security set_thread_area sysfs tuxcall uselib ustat vserver`)})
}
