#include "textflag.h"

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
	MOVD	ZR, R29
	SUB	$32, RSP
	MOVD	R19, 8(RSP)
	BL	·walk(SB)
	UNDEF
