/* SPDX-License-Identifier: MPL-2.0 */
/* The marks that bench/plugin looks for: instructions that do nothing and that no compiler makes. */
#ifndef KEEL_KBENCH_MARK_H
#define KEEL_KBENCH_MARK_H

static inline void mark_begin(void)
{
	__asm__ __volatile__("xchg %%rbx, %%rbx" ::: "memory");
}

static inline void mark_end(void)
{
	__asm__ __volatile__("xchg %%rcx, %%rcx" ::: "memory");
}

#endif
