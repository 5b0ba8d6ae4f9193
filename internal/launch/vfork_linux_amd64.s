#include "textflag.h"
#include "go_asm.h"

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
	XORL	R13, R13 // phaseChild
walk:
	XORL	BP, BP
	SUBQ	$32, SP
	MOVQ	R12, 24(SP)
again:
	MOVQ	R12, 0(SP)
	MOVQ	R13, 8(SP)
	MOVQ	AX, 16(SP)
	CALL	·walk(SB) // returns to have the nested child cloned
	MOVQ	24(SP), R12
	MOVQ	(state_call+0)(R12), AX
	MOVQ	(state_call+8)(R12), DI
	MOVQ	(state_call+16)(R12), SI
	MOVQ	(state_call+24)(R12), DX
	MOVQ	(state_call+32)(R12), R10
	MOVQ	(state_call+40)(R12), R8
	SYSCALL
	MOVQ	$const_phaseNested, R13
	TESTQ	AX, AX
	JEQ	walk
	MOVQ	$const_phaseInit, R13
	JMP	again
