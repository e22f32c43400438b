#include "textflag.h"

// Print text and exit if a limit of the process is below least.
#define CHECK(limit, least, text) \
	LIMIT(limit); \
	MOVD text+0(SB), R1; \
	MOVD text+8(SB), R2; \
	MOVD $least, R5; \
	CMP R5, R4; \
	BLO fail

// Load a limit of the process into R4.
#define LIMIT(limit) \
	MOVD $-1, R4; /* if the kernel has no such limit */ \
	MOVD R4, (RSP); \
	MOVD $limit, R1; \
	MOVD $261, R8; /* prlimit64(0, R1, nil, RSP) */ \
	MOVD $0, R0; \
	MOVD $0, R2; \
	MOVD RSP, R3; \
	SVC; \
	MOVD (RSP), R4

// entry is where the kernel starts the program; see limits.go.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	SUB $16, RSP // for a struct rlimit
	MOVD $175, R8 // geteuid
	SVC
	CBZ R0, others
	LIMIT(6) // RLIMIT_NPROC
	CMP $1024, R4
	BHS others
	MOVD $16, R19 // the children that the process and its children start; fewer in a child
start:
	MOVD $220, R8 // clone(CLONE_VM|CLONE_VFORK, 0, 0, 0, 0)
	MOVD $0x4100, R0
	MOVD $0, R1
	MOVD $0, R2
	MOVD $0, R3
	MOVD $0, R4
	SVC
	MOVD $0, R20 // becomes 1 if a process could not be started
	CBZ R0, child
	CMP $0, R0
	BGT wait
	CMN $11, R0 // EAGAIN; with another error nothing is known
	BNE started
	MOVD $1, R20
	B started
child:
	SUB $1, R19
	CBNZ R19, start
	B started
wait:
	MOVD $260, R8 // wait4(R0, RSP, __WALL, nil)
	MOVD RSP, R1
	MOVD $0x40000000, R2
	MOVD $0, R3
	SVC
	MOVBU 1(RSP), R20 // the exit status of the child
started:
	CMP $16, R19
	BEQ parent
	MOVD $93, R8 // exit(R20)
	MOVD R20, R0
	SVC
parent:
	MOVD ·fewProcesses+0(SB), R1
	MOVD ·fewProcesses+8(SB), R2
	CBNZ R20, fail
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
