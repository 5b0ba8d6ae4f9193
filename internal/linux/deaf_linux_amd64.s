#include "textflag.h"

// The handler runs on the signal stack of whatever thread the kernel picked,
// and returns to where the kernel put the address of the restorer.
TEXT ·nothing(SB),NOSPLIT|NOFRAME,$0
	RET

TEXT ·restore(SB),NOSPLIT|NOFRAME,$0
	MOVQ	$15, AX // rt_sigreturn
	SYSCALL
	INT	$3

// func deafHandler() (handler, restorer uintptr)
TEXT ·deafHandler(SB),NOSPLIT,$0-16
	MOVQ	$·nothing(SB), AX
	MOVQ	AX, handler+0(FP)
	MOVQ	$·restore(SB), AX
	MOVQ	AX, restorer+8(FP)
	RET
