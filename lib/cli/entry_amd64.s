#include "textflag.h"

// Print text and exit if a limit of the process is below least.
#define CHECK(limit, least, text) \
	LIMIT(limit); \
	MOVQ text+0(SB), SI; \
	MOVQ text+8(SB), DX; \
	CMPQ 0(SP), $least; \
	JCS fail

// Load a limit of the process into 0(SP).
#define LIMIT(limit) \
	MOVQ $-1, 0(SP); /* if the kernel has no such limit */ \
	MOVQ $limit, SI; \
	MOVQ $302, AX; /* prlimit64(0, SI, nil, SP) */ \
	MOVQ $0, DI; \
	MOVQ $0, DX; \
	MOVQ SP, R10; \
	SYSCALL

// entry is where the kernel starts the program; see limits.go.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	SUBQ $16, SP // for a struct rlimit
	MOVQ $107, AX // geteuid
	SYSCALL
	CMPQ AX, $0
	JEQ others
	LIMIT(6) // RLIMIT_NPROC
	CMPQ 0(SP), $1024
	JCC others
	MOVQ $16, BX // the children that the process and its children start; fewer in a child
start:
	MOVQ $56, AX // clone(CLONE_VM|CLONE_VFORK, 0, 0, 0, 0)
	MOVQ $0x4100, DI
	MOVQ $0, SI
	MOVQ $0, DX
	MOVQ $0, R10
	MOVQ $0, R8
	SYSCALL
	MOVQ $0, R12 // becomes 1 if a process could not be started
	CMPQ AX, $0
	JGT wait
	JEQ child
	CMPQ AX, $-11 // EAGAIN; with another error nothing is known
	JNE started
	MOVQ $1, R12
	JMP started
child:
	DECQ BX
	JNE start
	JMP started
wait:
	MOVQ AX, DI // wait4(AX, SP, __WALL, nil)
	MOVQ $61, AX
	MOVQ SP, SI
	MOVQ $0x40000000, DX
	MOVQ $0, R10
	SYSCALL
	MOVBLZX 1(SP), R12 // the exit status of the child
started:
	CMPQ BX, $16
	JEQ parent
	MOVQ $60, AX // exit(R12)
	MOVQ R12, DI
	SYSCALL
parent:
	MOVQ ·fewProcesses+0(SB), SI
	MOVQ ·fewProcesses+8(SB), DX
	CMPQ R12, $0
	JNE fail
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
