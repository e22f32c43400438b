#include "textflag.h"

// entry is where the kernel starts the program; see limits.go.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	SUB $16, RSP // for a struct rlimit
	MOVD $175, R8 // geteuid
	SVC
	CBZ R0, space
	MOVD $-1, R4 // for a kernel that does not tell
	MOVD R4, (RSP)
	MOVD $6, R1 // RLIMIT_NPROC
	MOVD $261, R8 // prlimit64(0, R1, nil, RSP)
	MOVD $0, R0
	MOVD $0, R2
	MOVD RSP, R3
	SVC
	MOVD ·fewProcesses+0(SB), R1
	MOVD ·fewProcesses+8(SB), R2
	MOVD (RSP), R4
	CMP $32, R4
	BLO fail
space:
	MOVD $-1, R4
	MOVD R4, (RSP)
	MOVD $9, R1 // RLIMIT_AS
	MOVD $261, R8
	MOVD $0, R0
	MOVD $0, R2
	MOVD RSP, R3
	SVC
	MOVD ·littleSpace+0(SB), R1
	MOVD ·littleSpace+8(SB), R2
	MOVD (RSP), R4
	CMP $(1<<30), R4
	BLO fail
	ADD $16, RSP
	B _rt0_arm64_linux(SB)
fail:
	MOVD $2, R0 // write(2, R1, R2)
	MOVD $64, R8
	SVC
	MOVD $111, R0 // exit_group(111)
	MOVD $94, R8
	SVC
	BRK
