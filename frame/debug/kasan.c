/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The address sanitizer's run-time part (debug build), for gcc 12 and clang 14 with -fsanitize=kernel-address.
 *
 * Each 8 bytes of kernel memory have a shadow byte at (address >> 3) + KASAN_OFFSET: 0 all eight may be touched, 1 … 7 only the first
 * so many, negative: none, and why. Compilers call __asan_load/store before accesses (outline mode: the boot tables' shadow is one
 * page for everything, so it must not be looked at before kasan_init), and write the shadow of stack frames by themselves.
 * mem* functions are checked here and then done by mem.S. paging.c gives every mapped range a real shadow.
 *
 * This file is compiled without the sanitizer. Shadow bytes are written by whom the memory belongs to; reads may race harmlessly.
 */
#include <lib/string.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/task.h>
#include <frame/core/internal.h>
#include <frame/x86_64/image.h>
#include <frame/x86_64/paging.h>

#define KERNEL_HALF 0xffff800000000000ul
#define GRANULE 8ul

/* What compilers write for stacks and globals, beside enum kasan_poison. */
enum {
	SHADOW_STACK_LEFT = 0xf1, SHADOW_STACK_MID = 0xf2, SHADOW_STACK_RIGHT = 0xf3, SHADOW_STACK_PARTIAL = 0xf4,
	SHADOW_STACK_RETURN = 0xf5, SHADOW_STACK_SCOPE = 0xf8, SHADOW_GLOBAL = 0xf9, SHADOW_ALLOCA_LEFT = 0xca, SHADOW_ALLOCA_RIGHT = 0xcb,
};

void *__memcpy(void *dst, const void *src, size_t n);
void *__memmove(void *dst, const void *src, size_t n);
void *__memset(void *dst, int c, size_t n);
int __memcmp(const void *a, const void *b, size_t n);

static bool is_on;

static inline s8 *shadow_of(u64 addr)
{
	return (s8 *)((addr >> 3) + KASAN_OFFSET);
}

/* --- Poisoning */

static void shadow_fill(u64 addr, u64 size, u8 value)
{
	__memset(shadow_of(addr), value, (size + GRANULE - 1) / GRANULE);
}

void kasan_poison(const void *addr, size_t size, enum kasan_poison why)
{
	shadow_fill((u64)addr, size, (u8)why);
}

void kasan_unpoison(const void *addr, size_t size)
{
	__memset(shadow_of((u64)addr), 0, size / GRANULE);
	if (size % GRANULE)
		*shadow_of((u64)addr + size) = (s8)(size % GRANULE);
}

/* --- Reports */

static enum report_kind kind_of(u8 shadow, const char **name)
{
	switch (shadow) {
	case KASAN_FREE_PAGE:
		*name = "use of a free page";
		return REPORT_KASAN_FREED;
	case KASAN_FREE_OBJECT:
		*name = "use after free";
		return REPORT_KASAN_FREED;
	case KASAN_REDZONE:
		*name = "heap overflow";
		return REPORT_KASAN_HEAP;
	case SHADOW_GLOBAL:
		*name = "global overflow";
		return REPORT_KASAN_GLOBAL;
	case SHADOW_STACK_LEFT:
	case SHADOW_STACK_MID:
	case SHADOW_STACK_RIGHT:
	case SHADOW_STACK_PARTIAL:
	case SHADOW_ALLOCA_LEFT:
	case SHADOW_ALLOCA_RIGHT:
		*name = "stack overflow of a buffer";
		return REPORT_KASAN_STACK;
	case SHADOW_STACK_RETURN:
	case SHADOW_STACK_SCOPE:
		*name = "use of a variable out of its scope";
		return REPORT_KASAN_STACK;
	default:
		*name = "wild access";
		return REPORT_KASAN_OTHER;
	}
}

/* The first byte of the access that may not be touched. */
static u64 first_bad(u64 addr, u64 size)
{
	for (u64 a = addr; a < addr + size; a++) {
		s8 s = *shadow_of(a);

		if (s && (s8)(a % GRANULE) >= s)
			return a;
	}
	return addr;
}

static void print_shadow(u64 addr)
{
	u64 row = ALIGN_DOWN(addr, 128ul) - 128;

	for (u32 i = 0; i < 3; i++, row += 128) {
		const u8 *s = (const u8 *)shadow_of(row);

		klog(LOG_EMERG, "shadow of 0x%lx: %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x", row, s[0],
		     s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15]);
	}
}

static void __noinline report(u64 addr, u64 size, bool is_write, u64 pc)
{
	enum report_kind kind = REPORT_KASAN_OTHER;
	const char *name = "wild access";
	u64 bad = addr;

	if (panic_is_under_way())
		return;
	if (addr >= KERNEL_HALF && addr + size > addr) {
		u8 shadow;

		bad = first_bad(addr, size);
		shadow = (u8)*shadow_of(bad);
		if (shadow < GRANULE)	/* beyond the used part of a granule: what follows tells what it is */
			shadow = (u8)*shadow_of(ALIGN_UP(bad + 1, GRANULE));
		kind = kind_of(shadow, &name);
	}
	if (report_swallow(kind))
		return;
	is_on = false;
	klog(LOG_EMERG, "KASAN: %s: %s of %lu bytes at 0x%lx, bad at 0x%lx, by 0x%lx", name, is_write ? "write" : "read", size, addr, bad, pc);
	if (bad >= KERNEL_HALF)
		print_shadow(bad);
	panic("KASAN: %s", name);
}

/* --- Checks */

static bool range_is_bad(u64 addr, u64 size)
{
	u64 last = addr + size - 1;
	const s8 *s = shadow_of(addr), *end = shadow_of(last);

	for (; s < end && (u64)s % 8 != 0; s++)
		if (*s)
			return true;
	for (; s + 8 <= end; s += 8)
		if (get_le64(s))
			return true;
	for (; s < end; s++)
		if (*s)
			return true;
	return *end && (s8)(last % GRANULE) >= *end;
}

static inline void check(u64 addr, u64 size, bool is_write, u64 pc)
{
	if (!is_on || !size)
		return;
	if (addr < KERNEL_HALF || addr + size < addr || range_is_bad(addr, size))
		report(addr, size, is_write, pc);
}

#define CALLER ((u64)__builtin_return_address(0))

#define ASAN_ACCESS(size)											\
void __asan_load##size##_noabort(u64 addr);									\
void __asan_load##size##_noabort(u64 addr)									\
{														\
	check(addr, size, false, CALLER);									\
}														\
void __asan_store##size##_noabort(u64 addr);									\
void __asan_store##size##_noabort(u64 addr)									\
{														\
	check(addr, size, true, CALLER);									\
}														\
void __asan_report_load##size##_noabort(u64 addr);								\
void __asan_report_load##size##_noabort(u64 addr)								\
{														\
	if (is_on)												\
		report(addr, size, false, CALLER);								\
}														\
void __asan_report_store##size##_noabort(u64 addr);								\
void __asan_report_store##size##_noabort(u64 addr)								\
{														\
	if (is_on)												\
		report(addr, size, true, CALLER);								\
}

ASAN_ACCESS(1)
ASAN_ACCESS(2)
ASAN_ACCESS(4)
ASAN_ACCESS(8)
ASAN_ACCESS(16)

void __asan_loadN_noabort(u64 addr, size_t size);
void __asan_loadN_noabort(u64 addr, size_t size)
{
	check(addr, size, false, CALLER);
}

void __asan_storeN_noabort(u64 addr, size_t size);
void __asan_storeN_noabort(u64 addr, size_t size)
{
	check(addr, size, true, CALLER);
}

void __asan_report_load_n_noabort(u64 addr, size_t size);
void __asan_report_load_n_noabort(u64 addr, size_t size)
{
	if (is_on)
		report(addr, size, false, CALLER);
}

void __asan_report_store_n_noabort(u64 addr, size_t size);
void __asan_report_store_n_noabort(u64 addr, size_t size)
{
	if (is_on)
		report(addr, size, true, CALLER);
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	check((u64)src, n, false, CALLER);
	check((u64)dst, n, true, CALLER);
	return __memcpy(dst, src, n);
}

void *memmove(void *dst, const void *src, size_t n)
{
	check((u64)src, n, false, CALLER);
	check((u64)dst, n, true, CALLER);
	return __memmove(dst, src, n);
}

void *memset(void *dst, int c, size_t n)
{
	check((u64)dst, n, true, CALLER);
	return __memset(dst, c, n);
}

int memcmp(const void *a, const void *b, size_t n)
{
	check((u64)a, n, false, CALLER);
	check((u64)b, n, false, CALLER);
	return __memcmp(a, b, n);
}

/* --- Stacks. set_shadow's addresses are those of shadow bytes. */

#define ASAN_SET_SHADOW(value)											\
void __asan_set_shadow_##value(void *shadow, size_t size);							\
void __asan_set_shadow_##value(void *shadow, size_t size)							\
{														\
	__memset(shadow, 0x##value, size);									\
}

ASAN_SET_SHADOW(00)
ASAN_SET_SHADOW(f1)
ASAN_SET_SHADOW(f2)
ASAN_SET_SHADOW(f3)
ASAN_SET_SHADOW(f5)
ASAN_SET_SHADOW(f8)

void __asan_poison_stack_memory(u64 addr, size_t size);
void __asan_poison_stack_memory(u64 addr, size_t size)
{
	shadow_fill(addr, size, SHADOW_STACK_SCOPE);
}

void __asan_unpoison_stack_memory(const void *addr, size_t size);
void __asan_unpoison_stack_memory(const void *addr, size_t size)
{
	kasan_unpoison(addr, size);
}

/* A variable-length array of `size` bytes stands at addr, 32 free bytes on its left, and on its right from the next multiple of 32. */
void __asan_alloca_poison(u64 addr, size_t size);
void __asan_alloca_poison(u64 addr, size_t size)
{
	u64 end = ALIGN_UP(addr + size, 32ul);

	shadow_fill(addr - 32, 32, SHADOW_ALLOCA_LEFT);
	shadow_fill(ALIGN_DOWN(addr + size, GRANULE), end - ALIGN_DOWN(addr + size, GRANULE) + 32, SHADOW_ALLOCA_RIGHT);
	kasan_unpoison((const void *)addr, size);
}

void __asan_allocas_unpoison(u64 top, u64 bottom);
void __asan_allocas_unpoison(u64 top, u64 bottom)
{
	if (top && top < bottom)
		shadow_fill(top, bottom - top, 0);
}

/* Before a call that does not return: the frames above are left without their ends being run. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
	u64 sp = ALIGN_DOWN((u64)__builtin_frame_address(0), GRANULE);
	const struct task *t = current_task();

	if (is_on && t && t->stack && sp >= (u64)t->stack && sp < (u64)t->stack + STACK_SIZE)
		shadow_fill(sp, (u64)t->stack + STACK_SIZE - sp, 0);
}

/* --- Globals */

struct asan_global {
	u64 addr, size, size_with_redzone;
	const char *name, *module;
	u64 has_dynamic_init;
	void *location;
	s64 odr_indicator;
};

void __asan_register_globals(const struct asan_global *g, size_t n);
void __asan_register_globals(const struct asan_global *g, size_t n)
{
	for (size_t i = 0; i < n; i++, g++) {
		shadow_fill(g->addr + ALIGN_UP(g->size, GRANULE), g->size_with_redzone - ALIGN_UP(g->size, GRANULE), SHADOW_GLOBAL);
		kasan_unpoison((const void *)g->addr, g->size);
	}
}

/* Destructors refer to it; nothing is ever unloaded. */
void __asan_unregister_globals(const struct asan_global *g, size_t n);
void __asan_unregister_globals(const struct asan_global *g, size_t n)
{
	(void)g;
	(void)n;
}

void __init kasan_init(void)
{
	for (void (*const *fn)(void) = init_array_start; fn < init_array_end; fn++)
		(*fn)();
	is_on = true;
}
