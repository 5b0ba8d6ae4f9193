#include "textflag.h"

#define SYS_write 1
#define SYS_ioctl 16
#define SYS_wait4 61
#define SYS_kill 62
#define SYS_rt_sigtimedwait 128
#define SYS_prctl 157
#define SYS_exit_group 231

#define SIGCHLD 17
#define STOPPED 0x7f
#define CONTINUED 0xffff
#define FIONREAD 0x541b

// The frame: 0 the set of all signals, 16 a siginfo_t, 256 the record, which is
// the status at 256 and the usage at 264.
#define RECORD 152

// UNREAD is how many bytes may wait in the pipe before a record of a stop: so there is room
// for that of the end in a pipe of the smallest size, a page.
#define UNREAD 2048

// func start() *byte
TEXT ·start(SB),NOSPLIT,$0-8
	LEAQ	code<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// The program. It refers to nothing outside of itself.
TEXT code<>(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$512, SP
	MOVQ	$-1, AX
	MOVQ	AX, 0(SP)
	// prctl(PR_SET_DUMPABLE, 0): the program is not to look into this one.
	MOVL	$SYS_prctl, AX
	MOVL	$4, DI
	XORL	SI, SI
	SYSCALL
	// prctl(PR_SET_NAME, "init")
	MOVL	$0x74696e69, AX
	MOVQ	AX, 256(SP)
	MOVL	$SYS_prctl, AX
	MOVL	$15, DI
	LEAQ	256(SP), SI
	SYSCALL
	// write(0, "i", 1): ready
	MOVL	$SYS_write, AX
	XORL	DI, DI
	LEAQ	256(SP), SI
	MOVL	$1, DX
	SYSCALL
reap:
	// wait4(-1, &status, WNOHANG|WUNTRACED|WCONTINUED|__WALL, &usage)
	MOVQ	$0, 256(SP)
	MOVL	$SYS_wait4, AX
	MOVQ	$-1, DI
	LEAQ	256(SP), SI
	MOVL	$0x4000000b, DX
	LEAQ	264(SP), R10
	SYSCALL
	TESTL	AX, AX
	JLE	wait
	CMPL	AX, $2
	JNE	reap
	MOVL	256(SP), AX
	CMPL	AX, $CONTINUED
	JEQ	room
	ANDL	$0xff, AX
	CMPL	AX, $STOPPED
	JNE	tell
room:
	// ioctl(0, FIONREAD, &unread)
	MOVQ	$0, 16(SP)
	MOVL	$SYS_ioctl, AX
	XORL	DI, DI
	MOVL	$FIONREAD, SI
	LEAQ	16(SP), DX
	SYSCALL
	CMPL	16(SP), $UNREAD
	JGT	reap
tell:
	// write(0, &record, RECORD)
	MOVL	$SYS_write, AX
	XORL	DI, DI
	LEAQ	256(SP), SI
	MOVL	$RECORD, DX
	SYSCALL
	MOVL	256(SP), DI
	CMPL	DI, $CONTINUED
	JEQ	reap
	MOVL	DI, AX
	ANDL	$0xff, AX
	CMPL	AX, $STOPPED
	JEQ	reap
	ANDL	$0x7f, AX
	JNE	signaled
	SHRL	$8, DI
	JMP	exit
signaled:
	LEAL	128(AX), DI
exit:
	MOVL	$SYS_exit_group, AX
	SYSCALL
wait:
	// rt_sigtimedwait(&all, &info, NULL, 8)
	MOVL	$SYS_rt_sigtimedwait, AX
	MOVQ	SP, DI
	LEAQ	16(SP), SI
	XORL	DX, DX
	MOVL	$8, R10
	SYSCALL
	CMPL	AX, $SIGCHLD
	JEQ	reap
	TESTL	AX, AX
	JLE	wait
	CMPL	24(SP), $0 // si_code: above 0 the kernel sent it, for a terminal
	JGT	wait
	// kill(2, signal)
	MOVL	AX, SI
	MOVL	$SYS_kill, AX
	MOVL	$2, DI
	SYSCALL
	JMP	wait
	BYTE	$'h'; BYTE $'a'; BYTE $'t'; BYTE $'c'; BYTE $'h'; BYTE $'e'; BYTE $'r'; BYTE $'y'
