/* SPDX-License-Identifier: MPL-2.0 */
/* What kind of x86-64 instruction it is, as far as the counting wants to know. No state. */
#ifndef KEEL_BENCH_DECODE_H
#define KEEL_BENCH_DECODE_H

#include <stddef.h>
#include <stdint.h>

enum kind {
	KIND_REP = 1 << 0,	/* string instruction with a repeat prefix: QEMU executes it once an iteration */
	KIND_CR3 = 1 << 1,	/* write to CR3 */
	KIND_FLUSH = 1 << 2,	/* INVLPG, INVPCID */
	KIND_PORT = 1 << 3,	/* port input or output */
	KIND_HALT = 1 << 4,
	KIND_LOCKED = 1 << 5,	/* lock prefix, or XCHG with memory */
	KIND_SYSCALL = 1 << 6,
	KIND_CALL = 1 << 7,	/* near call */
	KIND_RETURN = 1 << 8,	/* near return */
	KIND_BEGIN = 1 << 9,	/* our mark: xchg %rbx,%rbx */
	KIND_END = 1 << 10,	/* our mark: xchg %rcx,%rcx */
};

unsigned int decode(const uint8_t *code, size_t size);

#endif
