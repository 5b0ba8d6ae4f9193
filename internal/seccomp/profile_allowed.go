package seccomp

// allowed are the calls that the default profile does not restrict. What they
// reach is the affair of the namespaces, the mounts and the user they run as.
func allowed() []Group {
	groups := []struct{ name, why, calls string }{
		{"processes", "starting, waiting, signals: they end at the pid namespace", `
			execve execveat exit exit_group fork vfork wait4 waitid kill tgkill tkill
			pidfd_open pidfd_send_signal pause alarm getitimer setitimer
			rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
			rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4 restart_syscall
			getpid getppid gettid getpgid getpgrp getsid setpgid setsid set_tid_address
			get_robust_list set_robust_list rseq rseq_slice_yield prctl arch_prctl
			getrusage times getpriority setpriority ioprio_get ioprio_set getrlimit setrlimit prlimit64
			sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
			sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min
			sched_rr_get_interval sched_yield getcpu membarrier`},
		{"memory", "one's own address space", `
			brk mmap munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall
			mseal map_shadow_stack remap_file_pages memfd_create memfd_secret
			pkey_alloc pkey_free pkey_mprotect
			get_mempolicy set_mempolicy set_mempolicy_home_node mbind`},
		{"futexes", "locks between threads", `futex futex_waitv futex_wait futex_wake futex_requeue`},
		{"files", "what they reach is decided by mounts, permissions and Landlock", `
			open openat openat2 creat close close_range read readv pread64 preadv preadv2
			write writev pwrite64 pwritev pwritev2 lseek sendfile copy_file_range splice tee vmsplice
			dup dup2 dup3 flock fsync fdatasync sync syncfs sync_file_range readahead fadvise64
			fallocate truncate ftruncate stat fstat lstat newfstatat statx statfs fstatfs cachestat
			access faccessat faccessat2 chdir fchdir getcwd umask getdents getdents64
			mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat
			readlink readlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat
			utime utimes utimensat futimesat file_getattr file_setattr
			getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
			listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
			inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
			io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents`},
		{"file handles", "only a name: opening by one is refused", `name_to_handle_at`},
		{"waiting", "descriptors, clocks and timers", `
			poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
			eventfd eventfd2 pipe pipe2 nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time
			timer_create timer_delete timer_getoverrun timer_gettime timer_settime
			timerfd_create timerfd_gettime timerfd_settime`},
		{"sockets", "of the families that may be made", `
			bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
			sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg`},
		{"System V and POSIX IPC", "they end at the ipc namespace", `
			shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
			mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr`},
		{"identity", "what can be had is bounded by the user namespace and no_new_privs", `
			getuid geteuid getresuid getgid getegid getresgid getgroups setuid setreuid setresuid
			setgid setregid setresgid setgroups setfsuid setfsgid capget capset`},
		{"the machine", "names and numbers that every program may know", `uname sysinfo getrandom`},
		{"own restrictions", "a program may restrict itself further", `
			seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
			lsm_get_self_attr lsm_list_modules`},
		{"debugging", "below the pid namespace, for debuggers and leak checkers; the kernel asks the filter again about a call that was changed", `ptrace`},
		{"probes", "made by code that the kernel places, for who traces from outside; it refuses other callers itself", `uprobe uretprobe`},
	}
	all := make([]Group, 0, len(groups)+8)
	for _, g := range groups {
		all = append(all, Group{g.name, g.why, each(Allow, g.calls)})
	}
	return all
}
