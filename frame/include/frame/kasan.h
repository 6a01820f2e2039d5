/* SPDX-License-Identifier: MPL-2.0 */
/* Telling KASAN what may be touched (debug build; nothing in release). Sizes in bytes; addresses 8-byte aligned. */
#ifndef FRAME_KASAN_H
#define FRAME_KASAN_H

#include <lib/types.h>

enum kasan_poison { KASAN_FREE_PAGE = 0xff, KASAN_FREE_OBJECT = 0xfb, KASAN_REDZONE = 0xfc, KASAN_STACK_GUARD = 0xf1 };

#ifdef KEEL_DEBUG
void kasan_poison(const void *addr, size_t size, enum kasan_poison why);
void kasan_unpoison(const void *addr, size_t size);	/* size need not be a multiple of 8 */
#else
static inline void kasan_poison(const void *addr, size_t size, enum kasan_poison why)
{
	(void)addr;
	(void)size;
	(void)why;
}
static inline void kasan_unpoison(const void *addr, size_t size)
{
	(void)addr;
	(void)size;
}
#endif

#endif
