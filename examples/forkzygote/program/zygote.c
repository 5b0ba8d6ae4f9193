/* A program in C whose children are made by fork, from a process that is ready:
 * what it takes is in serve, wait and become. docs/protocol.md says what they speak. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long squares[1000]; /* what takes long to get ready */

/* work is the program itself. */
static int work(int argc, char **argv) {
	int n = argc > 1 ? atoi(argv[1]) : 0;
	printf("%s: %ld\n", argv[0], squares[n % 1000]);
	return n % 1000 == 7 ? 7 : 0;
}

static void say(int fd, const char *text, size_t n) { /* fields with NULs between them */
	unsigned char head[4] = {n, n >> 8, n >> 16, n >> 24};
	if (send(fd, head, 4, MSG_NOSIGNAL) != 4 || send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(1); /* nobody wants it */
}

/* set applies a setting; *next is the next descriptor. */
static int set(const char *s, int **next) {
	int n = strchr(s, '=') ? atoi(strchr(s, '=') + 1) : 0, fd, group;
	long long soft, hard;
	if (!strncmp(s, "fd=", 3)) return fd = *(*next)++, dup2(fd, n) < 0;
	if (!strcmp(s, "cwd")) return fd = *(*next)++, fchdir(fd) < 0;
	if (!strncmp(s, "group=", 6)) return setpgid(0, n);
	if (!strcmp(s, "session")) return setsid() < 0;
	if (!strncmp(s, "umask=", 6)) return umask(strtol(s + 6, NULL, 8)), 0;
	if (sscanf(s, "rlimit=%d:%lld:%lld", &n, &soft, &hard) == 3)
		return setrlimit(n, &(struct rlimit){soft, hard});
	if (!strncmp(s, "nice=", 5)) return setpriority(PRIO_PROCESS, 0, n);
	if (sscanf(s, "foreground=%d:%d", &n, &group) == 2) {
		sigset_t all, old; /* who is in the background is stopped otherwise */
		sigfillset(&all), sigprocmask(SIG_BLOCK, &all, &old);
		int failed = tcsetpgrp(n, group ? group : getpgrp());
		return sigprocmask(SIG_SETMASK, &old, NULL), failed;
	}
	if (!strncmp(s, "ignore=", 7)) return signal(n, SIG_IGN) == SIG_ERR;
	return errno = ENOSYS, 1;
}

/* become makes this process, a child, what the frame says, and works. */
static void become(char **field, int *fds, int nfds) {
	int top = 300, *next = fds + 1, n = atoi(*field++);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < nfds; i++) /* out of the way of the numbers to come */
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, top);
	syscall(SYS_close_range, 3, top - 1, 0);
	for (; n > 0; n--, field++)
		if (set(*field, &next)) {
			char text[300];
			say(fds[0], text, snprintf(text, sizeof text, "failed%c%s%c%d%c", 0, *field, 0, errno, 0));
			_exit(1);
		}
	int argc = atoi(*field++);
	char **argv = field, **env = field + argc + 1; /* behind its number */
	int envc = atoi(field[argc]);
	env[envc] = field[argc] = NULL;
	environ = env;
	say(fds[0], "started", 7);
	syscall(SYS_close_range, top, ~0U, 0);
	exit(work(argc, argv));
}

/* receive returns the fields of a frame that begins with word, and its descriptors; at
 * the end of the channel it does not return. */
static char **receive(int channel, const char *word, int fds[253], int *nfds) {
	unsigned char head[4];
	char control[CMSG_SPACE(sizeof(int[253]))];
	struct msghdr m = {.msg_iov = &(struct iovec){head, 4}, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	if (recvmsg(channel, &m, MSG_WAITALL | MSG_CMSG_CLOEXEC) != 4) _exit(0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c) _exit(1);
	*nfds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), *nfds * sizeof(int));
	size_t size = head[0] | head[1] << 8 | head[2] << 16 | (uint32_t)head[3] << 24, count = 1;
	char *text = calloc(1, size + 1), **field = calloc(size + 2, sizeof *field);
	if (!text || !field || recv(channel, text, size, MSG_WAITALL) != (ssize_t)size) _exit(1);
	field[0] = text;
	for (size_t i = 0; i < size; i++)
		if (!text[i]) field[count++] = text + i + 1;
	if (count < 3 || strcmp(text, word)) _exit(1);
	return field;
}

/* wait is a process that was made for a child: it has a channel of its own. */
static void wait(int channel) {
	int fds[253], nfds;
	say(channel, "ready\0pool\0001", 12);
	char **field = receive(channel, "run", fds, &nfds);
	become(field + 2, fds, nfds);
}

/* serve makes a process for each frame, until the channel ends. */
static void serve(int channel) {
	say(channel, "ready\0fork\0001", 12);
	for (;;) {
		char answer[100];
		int fds[253], nfds;
		char **field = receive(channel, "fork", fds, &nfds);
		long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0); /* the keeper's child */
		if (pid == 0) close(channel), wait(fds[0]);
		say(channel, answer, pid > 0
			? snprintf(answer, sizeof answer, "born%c%s%c%ld", 0, field[1], 0, pid)
			: snprintf(answer, sizeof answer, "refused%c%s%c%d%cfork", 0, field[1], 0, errno, 0));
		close(fds[0]), free(field[0]), free(field);
	}
}

int main(int argc, char **argv) {
	for (long i = 0; i < 1000; i++) squares[i] = i * i;
	char *channel = getenv("HATCHERY_ZYGOTE");
	if (!channel) return work(argc, argv); /* started as any program */
	int fd = atoi(channel);
	unsetenv("HATCHERY_ZYGOTE");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	serve(fd);
}
