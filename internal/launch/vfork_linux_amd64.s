#include "textflag.h"

// func vforkWalk(nr, a1, a2, a3, a4, a5 uintptr, s *state) (r uintptr)
//
// R12 survives the system call. The child has a stack of its own: it leaves
// the parent's alone and needs no return address.
TEXT ·vforkWalk(SB),NOSPLIT|NOFRAME,$0-64
	MOVQ	nr+0(FP), AX
	MOVQ	a1+8(FP), DI
	MOVQ	a2+16(FP), SI
	MOVQ	a3+24(FP), DX
	MOVQ	a4+32(FP), R10
	MOVQ	a5+40(FP), R8
	MOVQ	s+48(FP), R12
	SYSCALL
	TESTQ	AX, AX
	JEQ	child
	MOVQ	AX, r+56(FP)
	RET
child:
	XORL	BP, BP
	SUBQ	$32, SP
	MOVQ	R12, 0(SP)
	CALL	·walk(SB)
	INT	$3
