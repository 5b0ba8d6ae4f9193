#include "textflag.h"
#include "go_asm.h"

#define SYS_clone 220

// func vforkWalk(nr, a1, a2, a3, a4, a5 uintptr, s *state) (r uintptr)
//
// R19 survives the system call. The child has a stack of its own: it leaves
// the parent's alone and needs no return address.
TEXT ·vforkWalk(SB),NOSPLIT|NOFRAME,$0-64
	MOVD	nr+0(FP), R8
	MOVD	a1+8(FP), R0
	MOVD	a2+16(FP), R1
	MOVD	a3+24(FP), R2
	MOVD	a4+32(FP), R3
	MOVD	a5+40(FP), R4
	MOVD	s+48(FP), R19
	SVC
	CBZ	R0, child
	MOVD	R0, r+56(FP)
	RET
child:
	MOVD	$const_phaseChild, R20
walk:
	MOVD	ZR, R29
	SUB	$32, RSP
	MOVD	R19, 24(RSP)
again:
	MOVD	R19, 8(RSP)
	MOVD	R20, 16(RSP)
	BL	·walk(SB) // returns to have a nested child cloned
	MOVD	24(RSP), R19
	MOVD	$SYS_clone, R8
	MOVD	state_nestFlags(R19), R0
	MOVD	state_nestStack(R19), R1
	ADD	$state_nestTid, R19, R2
	MOVD	ZR, R3
	MOVD	R2, R4
	SVC
	CBZ	R0, nested
	MOVD	R0, state_nestPid(R19)
	MOVD	$const_phaseInit, R20
	B	again
nested:
	MOVD	$const_phaseNested, R20
	B	walk
