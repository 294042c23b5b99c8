#include "textflag.h"

// 32 bytes at once, for CPUs with AVX2.

// FILL fills a register with eight bytes, four times.
#define FILL(value, x, y) \
	MOVQ $value, AX \
	VMOVQ AX, x \
	VPBROADCASTQ x, y

#define CONSTANTS \
	FILL(0x3030303030303030, X8, Y8) \
	FILL(0x0909090909090909, X9, Y9) \
	FILL(0x2020202020202020, X10, Y10) \
	FILL(0x6161616161616161, X11, Y11) \
	FILL(0x0505050505050505, X12, Y12)

// DIGITS sets in Y2 the bytes of Y0 that are hex digits, in Y4 those that are letters.
#define DIGITS \
	VPSUBB Y8, Y0, Y2 \
	VPMINUB Y9, Y2, Y3 \
	VPCMPEQB Y2, Y3, Y2 \
	VPOR Y10, Y0, Y4 \
	VPSUBB Y11, Y4, Y4 \
	VPMINUB Y12, Y4, Y5 \
	VPCMPEQB Y4, Y5, Y4 \
	VPOR Y4, Y2, Y2

// func alikeAVX2(text *byte, like *stripe, stripes int) bool
TEXT ·alikeAVX2(SB), NOSPLIT, $0-25
	MOVQ text+0(FP), DI
	MOVQ like+8(FP), SI
	MOVQ stripes+16(FP), CX
	CONSTANTS
	VPXOR Y15, Y15, Y15
	TESTQ CX, CX
	JZ judge
stripe:
	VMOVDQU (DI), Y0
	VPCMPEQB (SI), Y0, Y1
	VPANDN 32(SI), Y1, Y1 // is not as it is fixed
	VPOR Y1, Y15, Y15
	DIGITS
	VPANDN 64(SI), Y2, Y2 // is no digit
	VPOR Y2, Y15, Y15
	ADDQ $32, DI
	ADDQ $96, SI
	DECQ CX
	JNZ stripe
judge:
	VPTEST Y15, Y15
	SETEQ ret+24(FP)
	VZEROUPPER
	RET

// func hexRunAVX2(text *byte, blocks int) int
TEXT ·hexRunAVX2(SB), NOSPLIT, $0-24
	MOVQ text+0(FP), DI
	MOVQ blocks+8(FP), CX
	MOVQ DI, SI
	CONSTANTS
	TESTQ CX, CX
	JZ done
block:
	VMOVDQU (DI), Y0
	DIGITS
	VPMOVMSKB Y2, AX
	NOTL AX
	TESTL AX, AX
	JNZ other
	ADDQ $32, DI
	DECQ CX
	JNZ block
	JMP done
other:
	BSFL AX, AX
	ADDQ AX, DI
done:
	SUBQ SI, DI
	MOVQ DI, ret+16(FP)
	VZEROUPPER
	RET

// func unhexAVX2(dst, src *byte, blocks int) bool
TEXT ·unhexAVX2(SB), NOSPLIT, $0-25
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX
	CONSTANTS
	FILL(0x0f0f0f0f0f0f0f0f, X13, Y13)
	FILL(0x0110011001100110, X14, Y14)
	VPCMPEQB Y15, Y15, Y15
	TESTQ CX, CX
	JZ judge
block:
	VMOVDQU (SI), Y0
	DIGITS
	VPAND Y2, Y15, Y15
	VPAND Y13, Y0, Y0
	VPAND Y9, Y4, Y4
	VPADDB Y4, Y0, Y0 // a letter's low half is 9 less than its value
	VPMADDUBSW Y14, Y0, Y0 // 16 times the first of two, and the second
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB X1, X0, X0
	VMOVDQU X0, (DI)
	ADDQ $32, SI
	ADDQ $16, DI
	DECQ CX
	JNZ block
judge:
	VPMOVMSKB Y15, AX
	CMPL AX, $0xffffffff
	SETEQ ret+24(FP)
	VZEROUPPER
	RET
