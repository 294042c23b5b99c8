#include "go_asm.h"
#include "textflag.h"

// 32 bytes at once, for CPUs with AVX2.

// Tables by half a byte. A hex digit's halves, looked up in highs and lows, have a bit
// in common: 1 is for 0 to 9, 2 for a letter, whose low half is 9 less than its value.
DATA highs<>+0(SB)/8, $0x0002000201000000
DATA highs<>+8(SB)/8, $0
GLOBL highs<>(SB), RODATA|NOPTR, $16
DATA lows<>+0(SB)/8, $0x0103030303030301
DATA lows<>+8(SB)/8, $0x0000000000000101
GLOBL lows<>(SB), RODATA|NOPTR, $16
DATA nines<>+0(SB)/8, $0x0009000900000000
DATA nines<>+8(SB)/8, $0
GLOBL nines<>(SB), RODATA|NOPTR, $16

DATA half<>(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL half<>(SB), RODATA|NOPTR, $8
DATA weights<>(SB)/8, $0x0110011001100110
GLOBL weights<>(SB), RODATA|NOPTR, $8

#define CONSTANTS \
	VBROADCASTI128 highs<>(SB), Y8 \
	VBROADCASTI128 lows<>(SB), Y9 \
	VPBROADCASTQ half<>(SB), Y10 \
	VPXOR Y11, Y11, Y11

// OTHERS sets in Y2 the bytes of Y0 that are no hex digits, and in Y4 the high halves.
#define OTHERS \
	VPSRLW $4, Y0, Y4 \
	VPAND Y10, Y4, Y4 \
	VPSHUFB Y4, Y8, Y2 \
	VPSHUFB Y0, Y9, Y3 \
	VPAND Y3, Y2, Y2 \
	VPCMPEQB Y11, Y2, Y2

// QUOTED goes to misfit unless "0x stands at DI.
#define QUOTED \
	MOVL (DI), AX \
	ANDL $0xffffff, AX \
	CMPL AX, $0x783022 \
	JNE misfit

// ROOM goes to misfit unless so many bytes follow at DI.
#define ROOM(bytes) \
	LEAQ bytes(DI), AX \
	CMPQ AX, R9 \
	JHI misfit

// NOTE takes down where DI is.
#define NOTE(where) \
	MOVQ DI, AX \
	SUBQ R11, AX \
	MOVQ AX, where

// func fitsAVX2(m *mold, f *fit, text *byte, size int) bool
//
// DI goes through the text, which begins at R11 and ends at R9; SI through the mold's
// texts, R13 through its parts, R12 counts them. What is wrong is added up in Y15, what
// is not the last block's in Y14.
TEXT ·fitsAVX2(SB), NOSPLIT, $0-33
	MOVQ m+0(FP), R8
	MOVQ f+8(FP), R10
	MOVQ text+16(FP), R11
	MOVQ size+24(FP), R9
	ADDQ R11, R9
	MOVQ R11, DI
	LEAQ mold_text(R8), SI
	LEAQ mold_parts(R8), R13
	XORL R12, R12
	CONSTANTS
	VPXOR Y14, Y14, Y14
	VPXOR Y15, Y15, Y15
part:
	MOVQ part_stripes(R13), DX
	TESTQ DX, DX
	JZ misfit
	SHLQ $5, DX
	ADDQ DI, DX
	CMPQ DX, R9
	JHI misfit
	NOTE(fit_parts(R10)(R12*8))
	MOVQ DI, BX
stripe:
	VMOVDQU (BX), Y0
	VPCMPEQB (SI), Y0, Y1
	VPANDN (mold_block-mold_text)(SI), Y1, Y6
	VPANDN (mold_fixed-mold_text)(SI), Y1, Y1
	VPOR Y6, Y14, Y14
	VPOR Y1, Y15, Y15
	OTHERS
	VPAND (mold_digits-mold_text)(SI), Y2, Y2
	VPOR Y2, Y15, Y15
	ADDQ $32, SI
	ADDQ $32, BX
	CMPQ BX, DX
	JNE stripe
	ADDQ part_size(R13), DI
	CMPQ R12, $2
	JEQ judge
	CMPB mold_between(R8)(R12*1), $const_topics
	JNE data
	ROOM(2)
	CMPB (DI), $'['
	JNE misfit
	INCQ DI
	NOTE(fit_topics(R10))
	XORL CX, CX
	CMPB (DI), $']'
	JEQ closed
topic:
	ROOM(const_topicBytes)
	QUOTED
	CMPB 67(DI), $'"'
	JNE misfit
	VMOVDQU 3(DI), Y0
	OTHERS
	VPOR Y2, Y15, Y15
	VMOVDQU 35(DI), Y0
	OTHERS
	VPOR Y2, Y15, Y15
	MOVBLZX 68(DI), AX
	ADDQ $const_topicBytes, DI
	INCQ CX
	CMPL AX, $','
	JNE last
	CMPQ CX, $const_maxTopics
	JLT topic
	JMP misfit
last:
	CMPL AX, $']'
	JNE misfit
	DECQ DI
closed:
	INCQ DI
	MOVQ CX, fit_count(R10)
	JMP next
data:
	ROOM(4)
	QUOTED
	INCQ DI
	NOTE(fit_from(R10))
	ADDQ $2, DI
run:
	ROOM(32)
	VMOVDQU (DI), Y0
	OTHERS
	VPMOVMSKB Y2, AX
	TESTL AX, AX
	JNZ ended
	ADDQ $32, DI
	JMP run
ended:
	BSFL AX, AX
	ADDQ AX, DI
	CMPB (DI), $'"'
	JNE misfit
	NOTE(fit_to(R10))
	INCQ DI
next:
	INCQ R12
	ADDQ $part__size, R13
	JMP part
judge:
	VPTEST Y15, Y15
	JNZ misfit
	NOTE(fit_size(R10))
	VPTEST Y14, Y14
	SETEQ fit_sameBlock(R10)
	MOVB $1, ret+32(FP)
	VZEROUPPER
	RET
misfit:
	MOVB $0, ret+32(FP)
	VZEROUPPER
	RET

// func unhexAVX2(runs *run, count int) bool
TEXT ·unhexAVX2(SB), NOSPLIT, $0-17
	MOVQ runs+0(FP), BX
	MOVQ count+8(FP), DX
	CONSTANTS
	VBROADCASTI128 nines<>(SB), Y13
	VPBROADCASTQ weights<>(SB), Y14
	VPXOR Y15, Y15, Y15
	TESTQ DX, DX
	JZ judge
run:
	MOVQ run_dst(BX), DI
	MOVQ run_src(BX), SI
	MOVQ run_blocks(BX), CX
block:
	VMOVDQU (SI), Y0
	OTHERS
	VPOR Y2, Y15, Y15
	VPAND Y10, Y0, Y0
	VPSHUFB Y4, Y13, Y4
	VPADDB Y4, Y0, Y0
	VPMADDUBSW Y14, Y0, Y0 // 16 times the first of two, and the second
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB X1, X0, X0
	VMOVDQU X0, (DI)
	ADDQ $32, SI
	ADDQ $16, DI
	DECQ CX
	JNZ block
	ADDQ $run__size, BX
	DECQ DX
	JNZ run
judge:
	VPTEST Y15, Y15
	SETEQ ret+16(FP)
	VZEROUPPER
	RET
