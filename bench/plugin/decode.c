/* SPDX-License-Identifier: MPL-2.0 */
/* See decode.h. Opcodes and prefixes as in the AMD64 manual, volume 3, appendix A. */
#include "decode.h"

#include <stdbool.h>
#include <string.h>

struct insn {
	const uint8_t *code;	/* behind the prefixes; the last one of the map is followed by zeros */
	bool lock, rep, size16;
};

static bool between(uint8_t byte, uint8_t first, uint8_t last)
{
	return byte >= first && byte <= last;
}

/* Legacy prefixes, then at most one REX. */
static size_t prefixes(struct insn *insn, const uint8_t *code, size_t size)
{
	size_t at = 0;

	for (; at < size; at++) {
		if (code[at] == 0xf0)
			insn->lock = true;
		else if (code[at] == 0xf2 || code[at] == 0xf3)
			insn->rep = true;
		else if (code[at] == 0x66)
			insn->size16 = true;
		else if (code[at] != 0x67 && code[at] != 0x26 && code[at] != 0x2e && code[at] != 0x36 && code[at] != 0x3e &&
			 code[at] != 0x64 && code[at] != 0x65)
			break;
	}
	return at < size && between(code[at], 0x40, 0x4f) ? at + 1 : at;
}

static bool in_memory(uint8_t modrm)
{
	return modrm < 0xc0;
}

static unsigned int operation(uint8_t modrm)
{
	return modrm >> 3 & 7;
}

static unsigned int decode_0f(const struct insn *insn)
{
	const uint8_t *code = insn->code + 1;

	switch (code[0]) {
	case 0x05:
		return KIND_SYSCALL;
	case 0x22:
		return operation(code[1]) == 3 ? KIND_CR3 : 0;
	case 0x01:
		return in_memory(code[1]) && operation(code[1]) == 7 ? KIND_FLUSH : 0;
	case 0x38:
		return insn->size16 && code[1] == 0x82 ? KIND_FLUSH : 0;
	default:
		return 0;
	}
}

static unsigned int decode_plain(const struct insn *insn)
{
	uint8_t op = insn->code[0], modrm = insn->code[1];

	if (between(op, 0x6c, 0x6f))
		return (insn->rep ? KIND_REP : 0) | KIND_PORT;
	if (between(op, 0xa4, 0xa7) || between(op, 0xaa, 0xaf))
		return insn->rep ? KIND_REP : 0;
	if (between(op, 0xe4, 0xe7) || between(op, 0xec, 0xef))
		return KIND_PORT;
	if (op == 0x86 || op == 0x87)
		return in_memory(modrm) ? KIND_LOCKED : 0;
	if (op == 0xe8 || (op == 0xff && operation(modrm) == 2))
		return KIND_CALL;
	if (op == 0xc2 || op == 0xc3)
		return KIND_RETURN;
	return op == 0xf4 ? KIND_HALT : 0;
}

unsigned int decode(const uint8_t *code, size_t size)
{
	uint8_t padded[16 + 4] = {0};
	struct insn insn = {0};
	unsigned int kind;

	if (size == 3 && memcmp(code, "\x48\x87\xdb", 3) == 0)
		return KIND_BEGIN;
	if (size == 3 && memcmp(code, "\x48\x87\xc9", 3) == 0)
		return KIND_END;
	memcpy(padded, code, size < 16 ? size : 16);
	insn.code = padded + prefixes(&insn, padded, size < 16 ? size : 16);
	kind = insn.code[0] == 0x0f ? decode_0f(&insn) : decode_plain(&insn);
	return kind | (insn.lock ? KIND_LOCKED : 0);
}
