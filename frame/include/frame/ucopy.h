/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Copying from and to user memory.
 *
 * A user address is a struct, so that it cannot be dereferenced by mistake. Every value is allowed: what lies outside
 * user space, or cannot be made present, ends the copy. The functions return the number of bytes NOT copied (0: all went well),
 * so a partial read or write can report a short count; ucopy_in/out wrappers below give 0 or -EFAULT.
 *
 * `us` is the user space meant; it must be the current task's (other processes' memory is reached through mm/access.h).
 * ucopy_* may fault and sleep: task context, no spinlock, not below the mm lock (they may take it).
 * ucopy_nofault_* never sleep and stop at the first absent page: for use under locks, after ucopy_prefault.
 */
#ifndef FRAME_UCOPY_H
#define FRAME_UCOPY_H

#include <lib/types.h>
#include <lib/errno.h>

struct uspace;

typedef struct {
	u64 v;
} uaddr_t;

#define UADDR_NULL ((uaddr_t){ 0 })

static inline uaddr_t uaddr(u64 v)
{
	return (uaddr_t){ v };
}

static inline uaddr_t uaddr_add(uaddr_t a, u64 n)
{
	return (uaddr_t){ a.v + n };
}

__must_check size_t ucopy_from(struct uspace *us, void *dst, uaddr_t src, size_t n);
__must_check size_t ucopy_to(struct uspace *us, uaddr_t dst, const void *src, size_t n);
__must_check size_t ucopy_zero(struct uspace *us, uaddr_t dst, size_t n);
__must_check size_t ucopy_nofault_from(struct uspace *us, void *dst, uaddr_t src, size_t n);
__must_check size_t ucopy_nofault_to(struct uspace *us, uaddr_t dst, const void *src, size_t n);

/* n values that stand `stride` bytes apart on both sides: a field of an array of structs. 0 or -EFAULT. */
__must_check int ucopy_to_u16s(struct uspace *us, uaddr_t dst, const u16 *src, size_t n, size_t stride);

/* Copies a string with its NUL into dst[max]. Length without the NUL, -EFAULT, or -ENAMETOOLONG if no NUL within max bytes. */
__must_check ssize_t ucopy_string(struct uspace *us, char *dst, uaddr_t src, size_t max);

/* Makes every page of [addr, addr+n) present (writable if is_write) once; they may go again. 0 or -EFAULT. May sleep. */
__must_check int ucopy_prefault(struct uspace *us, uaddr_t addr, size_t n, bool is_write);

/* Atomic on an aligned 32-bit word, without faulting: 0, or -EFAULT if absent (prefault and retry). *old gets the former value;
 * ucopy_cmpxchg32 stores only if it was `expect`. */
__must_check int ucopy_load32(struct uspace *us, uaddr_t addr, u32 *val);
__must_check int ucopy_cmpxchg32(struct uspace *us, uaddr_t addr, u32 expect, u32 store, u32 *old);

#endif
