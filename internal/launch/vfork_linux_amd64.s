#include "textflag.h"
#include "go_asm.h"

#define SYS_clone 56

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
	MOVQ	$const_phaseChild, R13
walk:
	XORL	BP, BP
	SUBQ	$32, SP
	MOVQ	R12, 16(SP)
again:
	MOVQ	R12, 0(SP)
	MOVQ	R13, 8(SP)
	CALL	·walk(SB) // returns to have a nested child cloned
	MOVQ	16(SP), R12
	MOVL	$SYS_clone, AX
	MOVQ	state_nestFlags(R12), DI
	MOVQ	state_nestStack(R12), SI
	LEAQ	state_nestTid(R12), DX
	MOVQ	DX, R10
	XORL	R8, R8
	SYSCALL
	TESTQ	AX, AX
	JEQ	nested
	MOVQ	AX, state_nestPid(R12)
	MOVQ	$const_phaseInit, R13
	JMP	again
nested:
	MOVQ	$const_phaseNested, R13
	JMP	walk
