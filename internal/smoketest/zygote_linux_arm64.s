#include "textflag.h"

#define SYS_read 63
#define SYS_write 64
#define SYS_exit_group 94
#define SYS_getpid 172
#define SYS_clone 220

#define CLONE_PARENT_SIGCHLD 0x8011

// The frame: 16 what was read at the beginning, 24 the process id, 32 the request.

// func zygoteStart() *byte
TEXT ·zygoteStart(SB),NOSPLIT,$0-8
	MOVD	$zygote<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// The program. It refers to nothing outside of itself.
TEXT zygote<>(SB),NOSPLIT|NOFRAME,$0
	SUB	$64, RSP
	MOVD	ZR, 32(RSP)
	// read(0, frame, 8): it warms up
	MOVD	$SYS_read, R8
	MOVD	ZR, R0
	ADD	$16, RSP, R1
	MOVD	$8, R2
	SVC
next:
	// read(0, request, 1)
	MOVD	$SYS_read, R8
	MOVD	ZR, R0
	ADD	$32, RSP, R1
	MOVD	$1, R2
	SVC
	CMPW	$0, R0
	BLE	end
	// clone(CLONE_PARENT|SIGCHLD): the child is this process's sister
	MOVD	$SYS_clone, R8
	MOVD	$CLONE_PARENT_SIGCHLD, R0
	MOVD	ZR, R1
	MOVD	ZR, R2
	MOVD	ZR, R3
	MOVD	ZR, R4
	SVC
	CMP	$0, R0
	BNE	next
	MOVD	$SYS_getpid, R8
	SVC
	MOVD	R0, 24(RSP)
	// write(1, frame, 16)
	MOVD	$SYS_write, R8
	MOVD	$1, R0
	ADD	$16, RSP, R1
	MOVD	$16, R2
	SVC
	MOVWU	32(RSP), R0
	B	exit
end:
	MOVD	ZR, R0
exit:
	MOVD	$SYS_exit_group, R8
	SVC
	WORD	$0x63746168 // "hatc"
	WORD	$0x79726568 // "hery"
