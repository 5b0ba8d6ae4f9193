#include "textflag.h"

// The handler runs on the signal stack of whatever thread the kernel picked,
// and returns to the kernel's own restorer in the vDSO.
TEXT ·nothing(SB),NOSPLIT|NOFRAME,$0
	RET

// func deafHandler() (handler, restorer uintptr)
TEXT ·deafHandler(SB),NOSPLIT,$0-16
	MOVD	$·nothing(SB), R0
	MOVD	R0, handler+0(FP)
	MOVD	ZR, restorer+8(FP)
	RET
