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

// DIGITS makes of 16 hex digits in x their values; what is none clears bytes of X7.
#define DIGITS(x, digit, letter, mask) \
	MOVO x, letter        \
	POR X8, letter        \
	PSUBB X9, letter      \
	MOVO letter, mask     \
	PMINUB X10, mask      \
	PCMPEQB letter, mask  \
	PADDB X11, letter     \
	PAND mask, letter     \
	PSUBB X12, x          \
	MOVO x, digit         \
	PMINUB X13, digit     \
	PCMPEQB x, digit      \
	PAND digit, x         \
	POR letter, x         \
	POR digit, mask       \
	PAND mask, X7

// PAIRS makes of 16 values eight, each in a word.
#define PAIRS(x, low) \
	MOVO x, low           \
	PSRLW $8, low         \
	PSLLW $4, x           \
	POR low, x            \
	PAND X14, x

// func unhexWide(dst, src *byte, blocks int) (right bool)
TEXT ·unhexWide(SB), NOSPLIT, $0-25
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX
	SPREAD(0x2020202020202020, X8)
	SPREAD(0x6161616161616161, X9)
	SPREAD(0x0505050505050505, X10)
	SPREAD(0x0a0a0a0a0a0a0a0a, X11)
	SPREAD(0x3030303030303030, X12)
	SPREAD(0x0909090909090909, X13)
	SPREAD(0x00ff00ff00ff00ff, X14)
	PCMPEQB X7, X7
	TESTQ CX, CX
	JZ judge
block:
	MOVOU (SI), X0
	MOVOU 16(SI), X1
	DIGITS(X0, X2, X3, X4)
	DIGITS(X1, X2, X3, X4)
	PAIRS(X0, X2)
	PAIRS(X1, X2)
	PACKUSWB X1, X0
	MOVOU X0, (DI)
	ADDQ $32, SI
	ADDQ $16, DI
	DECQ CX
	JNZ block
judge:
	PMOVMSKB X7, AX
	CMPL AX, $0xffff
	SETEQ right+24(FP)
	RET
