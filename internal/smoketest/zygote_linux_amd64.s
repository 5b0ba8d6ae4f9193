#include "textflag.h"

#define SYS_read 0
#define SYS_write 1
#define SYS_getpid 39
#define SYS_clone 56
#define SYS_exit_group 231

#define CLONE_PARENT_SIGCHLD 0x8011

// The frame: 0 what was read at the beginning, 8 the process id, 16 the request.

// func zygoteStart() *byte
TEXT ·zygoteStart(SB),NOSPLIT,$0-8
	LEAQ	zygote<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// The program. It refers to nothing outside of itself.
TEXT zygote<>(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$64, SP
	MOVQ	$0, 16(SP)
	// read(0, frame, 8): it warms up
	MOVL	$SYS_read, AX
	XORL	DI, DI
	MOVQ	SP, SI
	MOVL	$8, DX
	SYSCALL
next:
	// read(0, request, 1)
	MOVL	$SYS_read, AX
	XORL	DI, DI
	LEAQ	16(SP), SI
	MOVL	$1, DX
	SYSCALL
	XORL	DI, DI
	TESTL	AX, AX
	JLE	exit
	// clone(CLONE_PARENT|SIGCHLD): the child is this process's sister
	MOVL	$SYS_clone, AX
	MOVL	$CLONE_PARENT_SIGCHLD, DI
	XORL	SI, SI
	XORL	DX, DX
	XORL	R10, R10
	XORL	R8, R8
	SYSCALL
	TESTQ	AX, AX
	JNE	next
	MOVL	$SYS_getpid, AX
	SYSCALL
	MOVQ	AX, 8(SP)
	// write(1, frame, 16)
	MOVL	$SYS_write, AX
	MOVL	$1, DI
	MOVQ	SP, SI
	MOVL	$16, DX
	SYSCALL
	MOVL	16(SP), DI
exit:
	MOVL	$SYS_exit_group, AX
	SYSCALL
	BYTE	$'h'; BYTE $'a'; BYTE $'t'; BYTE $'c'; BYTE $'h'; BYTE $'e'; BYTE $'r'; BYTE $'y'
