#include "textflag.h"

// Print text and exit if a limit of the process is below least.
#define CHECK(limit, least, text) \
	MOVQ $-1, 0(SP); /* if the kernel has no such limit */ \
	MOVQ $limit, SI; \
	MOVQ $302, AX; /* prlimit64(0, SI, nil, SP) */ \
	MOVQ $0, DI; \
	MOVQ $0, DX; \
	MOVQ SP, R10; \
	SYSCALL; \
	MOVQ text+0(SB), SI; \
	MOVQ text+8(SB), DX; \
	CMPQ 0(SP), $least; \
	JCS fail

// entry is where the kernel starts the program; see limits.go.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	SUBQ $16, SP // for a struct rlimit
	MOVQ $107, AX // geteuid
	SYSCALL
	CMPQ AX, $0
	JEQ others
	CHECK(6, 32, ·fewProcesses) // RLIMIT_NPROC
others:
	CHECK(9, (3<<29), ·littleSpace) // RLIMIT_AS
	CHECK(2, (1<<27), ·littleData) // RLIMIT_DATA
	CHECK(7, 16, ·fewFiles) // RLIMIT_NOFILE
	ADDQ $16, SP
	JMP _rt0_amd64_linux(SB)
fail:
	MOVQ $1, AX // write(2, SI, DX)
	MOVQ $2, DI
	SYSCALL
	MOVQ $231, AX // exit_group(111)
	MOVQ $111, DI
	SYSCALL
	INT $3
