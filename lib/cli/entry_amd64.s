#include "textflag.h"

// entry is where the kernel starts the program; see limits.go.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	SUBQ $16, SP // for a struct rlimit
	MOVQ $107, AX // geteuid
	SYSCALL
	CMPQ AX, $0
	JEQ space
	MOVQ $-1, 0(SP) // for a kernel that does not tell
	MOVQ $6, SI // RLIMIT_NPROC
	MOVQ $302, AX // prlimit64(0, SI, nil, SP)
	MOVQ $0, DI
	MOVQ $0, DX
	MOVQ SP, R10
	SYSCALL
	MOVQ ·fewProcesses+0(SB), SI
	MOVQ ·fewProcesses+8(SB), DX
	CMPQ 0(SP), $32
	JCS fail
space:
	MOVQ $-1, 0(SP)
	MOVQ $9, SI // RLIMIT_AS
	MOVQ $302, AX
	MOVQ $0, DI
	MOVQ $0, DX
	MOVQ SP, R10
	SYSCALL
	MOVQ ·littleSpace+0(SB), SI
	MOVQ ·littleSpace+8(SB), DX
	CMPQ 0(SP), $(1<<30)
	JCS fail
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
