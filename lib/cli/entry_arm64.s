#include "textflag.h"

// Print text and exit if a limit of the process is below least.
#define CHECK(limit, least, text) \
	MOVD $-1, R4; /* if the kernel has no such limit */ \
	MOVD R4, (RSP); \
	MOVD $limit, R1; \
	MOVD $261, R8; /* prlimit64(0, R1, nil, RSP) */ \
	MOVD $0, R0; \
	MOVD $0, R2; \
	MOVD RSP, R3; \
	SVC; \
	MOVD text+0(SB), R1; \
	MOVD text+8(SB), R2; \
	MOVD (RSP), R4; \
	MOVD $least, R5; \
	CMP R5, R4; \
	BLO fail

// entry is where the kernel starts the program; see limits.go.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	SUB $16, RSP // for a struct rlimit
	MOVD $175, R8 // geteuid
	SVC
	CBZ R0, others
	CHECK(6, 32, ·fewProcesses) // RLIMIT_NPROC
others:
	CHECK(9, (3<<29), ·littleSpace) // RLIMIT_AS
	CHECK(2, (1<<27), ·littleData) // RLIMIT_DATA
	CHECK(7, 16, ·fewFiles) // RLIMIT_NOFILE
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
