#include "textflag.h"

#define SYS_ioctl 29
#define SYS_write 64
#define SYS_exit_group 94
#define SYS_kill 129
#define SYS_rt_sigtimedwait 137
#define SYS_prctl 167
#define SYS_wait4 260

#define SIGCHLD 17
#define STOPPED 0x7f
#define CONTINUED 0xffff
#define FIONREAD 0x541b

// The frame: 16 the set of all signals, 32 a siginfo_t, 256 the record, which is
// the status at 256 and the usage at 264.
#define RECORD 152

// UNREAD is how many bytes may wait in the pipe before a record of a stop: so there is room
// for that of the end in a pipe of the smallest size, a page.
#define UNREAD 2048

// func start() *byte
TEXT ·start(SB),NOSPLIT,$0-8
	MOVD	$code<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// The program. It refers to nothing outside of itself.
TEXT code<>(SB),NOSPLIT|NOFRAME,$0
	SUB	$512, RSP
	MOVD	$-1, R0
	MOVD	R0, 16(RSP)
	// prctl(PR_SET_DUMPABLE, 0): the program is not to look into this one.
	MOVD	$SYS_prctl, R8
	MOVD	$4, R0
	MOVD	ZR, R1
	SVC
	// prctl(PR_SET_NAME, "init")
	MOVD	$0x74696e69, R0
	MOVD	R0, 256(RSP)
	MOVD	$SYS_prctl, R8
	MOVD	$15, R0
	ADD	$256, RSP, R1
	SVC
	// write(0, "i", 1): ready
	MOVD	$SYS_write, R8
	MOVD	ZR, R0
	ADD	$256, RSP, R1
	MOVD	$1, R2
	SVC
reap:
	// wait4(-1, &status, WNOHANG|WUNTRACED|WCONTINUED|__WALL, &usage)
	MOVD	ZR, 256(RSP)
	MOVD	$SYS_wait4, R8
	MOVD	$-1, R0
	ADD	$256, RSP, R1
	MOVD	$0x4000000b, R2
	ADD	$264, RSP, R3
	SVC
	CMPW	$0, R0
	BLE	wait
	CMPW	$2, R0
	BNE	reap
	MOVWU	256(RSP), R0
	MOVD	$CONTINUED, R1
	CMPW	R1, R0
	BEQ	room
	ANDW	$0xff, R0, R1
	CMPW	$STOPPED, R1
	BNE	tell
room:
	// ioctl(0, FIONREAD, &unread)
	MOVD	ZR, 32(RSP)
	MOVD	$SYS_ioctl, R8
	MOVD	ZR, R0
	MOVD	$FIONREAD, R1
	ADD	$32, RSP, R2
	SVC
	MOVW	32(RSP), R0
	CMPW	$UNREAD, R0
	BGT	reap
tell:
	// write(0, &record, RECORD)
	MOVD	$SYS_write, R8
	MOVD	ZR, R0
	ADD	$256, RSP, R1
	MOVD	$RECORD, R2
	SVC
	MOVWU	256(RSP), R0
	MOVD	$CONTINUED, R1
	CMPW	R1, R0
	BEQ	reap
	ANDW	$0xff, R0, R1
	CMPW	$STOPPED, R1
	BEQ	reap
	ANDW	$0x7f, R0, R1
	CBNZW	R1, signaled
	LSRW	$8, R0, R0
	B	exit
signaled:
	ADDW	$128, R1, R0
exit:
	MOVD	$SYS_exit_group, R8
	SVC
wait:
	// rt_sigtimedwait(&all, &info, NULL, 8)
	MOVD	$SYS_rt_sigtimedwait, R8
	ADD	$16, RSP, R0
	ADD	$32, RSP, R1
	MOVD	ZR, R2
	MOVD	$8, R3
	SVC
	CMPW	$SIGCHLD, R0
	BEQ	reap
	CMPW	$0, R0
	BLE	wait
	MOVW	40(RSP), R1 // si_code: above 0 the kernel sent it, for a terminal
	CMPW	$0, R1
	BGT	wait
	// kill(2, signal)
	MOVD	R0, R1
	MOVD	$SYS_kill, R8
	MOVD	$2, R0
	SVC
	B	wait
	WORD	$0x63746168
	WORD	$0x79726568
