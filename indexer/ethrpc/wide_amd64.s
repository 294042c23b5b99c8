#include "textflag.h"

// Sixteen bytes at once with what every amd64 CPU has (SSE2), so that nothing
// needs to be asked of it.

// SPREAD fills a register with eight bytes, twice.
#define SPREAD(value, reg) \
	MOVQ $value, AX       \
	MOVQ AX, reg          \
	PUNPCKLQDQ reg, reg

// SPECIAL makes a bit a byte at SI+offset: a quote, a backslash or below a space.
#define SPECIAL(offset, bits) \
	MOVOU offset(SI), X0  \
	MOVO X0, X1           \
	MOVO X0, X2           \
	PCMPEQB X8, X0        \
	PCMPEQB X9, X1        \
	PSUBUSB X10, X2       \
	PCMPEQB X11, X2       \
	POR X1, X0            \
	POR X2, X0            \
	PMOVMSKB X0, bits

// func markWide(dst *uint64, src *byte, words int)
TEXT ·markWide(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ words+16(FP), CX
	SPREAD(0x2222222222222222, X8)
	SPREAD(0x5c5c5c5c5c5c5c5c, X9)
	SPREAD(0x1f1f1f1f1f1f1f1f, X10)
	PXOR X11, X11
	TESTQ CX, CX
	JZ done
word:
	SPECIAL(0, AX)
	SPECIAL(16, BX)
	SPECIAL(32, DX)
	SPECIAL(48, R8)
	SHLQ $16, BX
	SHLQ $32, DX
	SHLQ $48, R8
	ORQ BX, AX
	ORQ R8, DX
	ORQ DX, AX
	MOVQ AX, (DI)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ word
done:
	RET
