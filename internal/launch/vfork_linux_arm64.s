#include "textflag.h"
#include "go_asm.h"

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
	MOVD	ZR, R20 // phaseChild
walk:
	MOVD	ZR, R29
	SUB	$48, RSP
	MOVD	R19, 32(RSP)
again:
	MOVD	R19, 8(RSP)
	MOVD	R20, 16(RSP)
	MOVD	R0, 24(RSP)
	BL	·walk(SB) // returns to have the nested child cloned
	MOVD	32(RSP), R19
	MOVD	(state_call+0)(R19), R8
	MOVD	(state_call+8)(R19), R0
	MOVD	(state_call+16)(R19), R1
	MOVD	(state_call+24)(R19), R2
	MOVD	(state_call+32)(R19), R3
	MOVD	(state_call+40)(R19), R4
	SVC
	MOVD	$const_phaseNested, R20
	CBZ	R0, walk
	MOVD	$const_phaseInit, R20
	B	again
