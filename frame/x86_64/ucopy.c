/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Copying from and to user memory.
 *
 * The routines of ucopy_raw.S never handle a fault themselves: they return how much is left and where it faulted. Here, outside any
 * exception and with interrupts on, the kernel is asked to make the page present (policy_ucopy_fault), and the copy goes on
 * from there. Progress: each round either moves or ends with the kernel's refusal; what is left is then copied by bytes
 * up to the exact end, at most seven of them.
 */
#include <lib/string.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include <frame/ucopy.h>
#include <frame/uspace.h>

/* In two registers: an address of a local variable would put a canary into the fast ways. */
struct raw {
	size_t left;
	u64 fault;		/* address, if left is not 0 */
};

struct raw ucopy_raw(void *dst, const void *src, size_t n);
size_t ucopy_raw_from(void *dst, const void *src, size_t n);
size_t ucopy_raw_to(void *dst, const void *src, size_t n);
size_t ucopy_go_on_from(void *dst, const void *src, size_t left, u64 fault);
size_t ucopy_go_on_to(void *dst, const void *src, size_t left, u64 fault);
struct raw ucopy_raw_bytes(void *dst, const void *src, size_t n);
struct raw ucopy_raw_zero(void *dst, size_t n);
struct raw ucopy_raw_u16s(void *dst, const void *src, size_t n, size_t stride);
u64 ucopy_raw_load64(u64 addr, u64 *val);
u64 ucopy_raw_load32(u64 addr, u32 *val);
u64 ucopy_raw_cmpxchg32(u64 addr, u32 expect, u32 store, u32 *old);
u64 ucopy_raw_touch_read(u64 addr);
u64 ucopy_raw_touch_write(u64 addr);

/* As gcc declares them. */
void __asan_loadN_noabort(void *addr, long size);
void __asan_storeN_noabort(void *addr, long size);

/* Debug build: the assembly escapes the compiler's checks, so the kernel's side of a copy is checked here. */
static void check(const void *p, size_t n, bool is_store)
{
	(void)p, (void)n, (void)is_store;
#ifdef KEEL_DEBUG
	if (n)
		(is_store ? __asan_storeN_noabort : __asan_loadN_noabort)((void *)(u64)p, (long)n);
#endif
}

static void check_load(const void *p, size_t n)
{
	check(p, n, false);
}

static void check_store(const void *p, size_t n)
{
	check(p, n, true);
}

/* How much of [addr, addr+n) is in user space, from its start. Copying into another process's memory would be a kernel bug. */
static size_t user_part(const struct uspace *us, u64 addr, size_t n)
{
	BUG_ON(us != current_task()->uspace);
	if (unlikely(!us || addr >= USPACE_END))
		return 0;
	return min_t(u64, n, USPACE_END - addr);
}

/* The same question for all of it. */
static bool is_user(const struct uspace *us, u64 addr, size_t n)
{
	return likely(us && us == current_task()->uspace && addr < USPACE_END && n <= USPACE_END - addr);
}

static size_t go_on(void *dst, const void *src, size_t left, u64 fault, bool is_write)
{
	while (!policy_ucopy_fault(uaddr(fault), is_write)) {
		struct raw raw = ucopy_raw(dst, src, left);

		if (!raw.left)
			return 0;
		dst = (u8 *)dst + (left - raw.left);
		src = (const u8 *)src + (left - raw.left);
		left = raw.left;
		fault = raw.fault;
	}
	return ucopy_raw_bytes(dst, src, left).left;
}

/* ucopy_raw_from and _to come here. */
size_t ucopy_go_on_from(void *dst, const void *src, size_t left, u64 fault)
{
	return go_on(dst, src, left, fault, false);
}

size_t ucopy_go_on_to(void *dst, const void *src, size_t left, u64 fault)
{
	return go_on(dst, src, left, fault, true);
}

/* Ranges that are not all user space. */
static __noinline size_t from_odd(struct uspace *us, void *dst, uaddr_t src, size_t n)
{
	size_t part = user_part(us, src.v, n);

	return ucopy_raw_from(dst, (const void *)src.v, part) + (n - part);
}

size_t ucopy_from(struct uspace *us, void *dst, uaddr_t src, size_t n)
{
	ASSERT(!in_atomic());
	check_store(dst, n);
	return is_user(us, src.v, n) ? ucopy_raw_from(dst, (const void *)src.v, n) : from_odd(us, dst, src, n);
}

static __noinline size_t to_odd(struct uspace *us, uaddr_t dst, const void *src, size_t n)
{
	size_t part = user_part(us, dst.v, n);

	return ucopy_raw_to((void *)dst.v, src, part) + (n - part);
}

size_t ucopy_to(struct uspace *us, uaddr_t dst, const void *src, size_t n)
{
	ASSERT(!in_atomic());
	check_load(src, n);
	return is_user(us, dst.v, n) ? ucopy_raw_to((void *)dst.v, src, n) : to_odd(us, dst, src, n);
}

int ucopy_to_u16s(struct uspace *us, uaddr_t dst, const u16 *src, size_t n, size_t stride)
{
	struct raw raw = { n, 0 };

	ASSERT(!in_atomic());
	if (!n)
		return 0;
	check_load(src, (n - 1) * stride + sizeof(*src));
	if (!is_user(us, dst.v, (n - 1) * stride + sizeof(*src)))
		return -EFAULT;
	for (;;) {
		size_t done = (n - raw.left) * stride;

		raw = ucopy_raw_u16s((void *)(dst.v + done), (const u8 *)src + done, raw.left, stride);
		if (!raw.left)
			return 0;
		if (policy_ucopy_fault(uaddr(raw.fault), true))
			return -EFAULT;
	}
}

/* What a copy that may not fault leaves: the bytes before the border count. */
static size_t copy_present(void *dst, const void *src, size_t n)
{
	size_t left = ucopy_raw(dst, src, n).left, done = n - left;

	return left ? ucopy_raw_bytes((u8 *)dst + done, (const u8 *)src + done, left).left : 0;
}

size_t ucopy_nofault_from(struct uspace *us, void *dst, uaddr_t src, size_t n)
{
	size_t part = user_part(us, src.v, n);

	check_store(dst, part);
	return copy_present(dst, (const void *)src.v, part) + (n - part);
}

size_t ucopy_nofault_to(struct uspace *us, uaddr_t dst, const void *src, size_t n)
{
	size_t part = user_part(us, dst.v, n);

	check_load(src, part);
	return copy_present((void *)dst.v, src, part) + (n - part);
}

size_t ucopy_zero(struct uspace *us, uaddr_t dst, size_t n)
{
	size_t part = user_part(us, dst.v, n), left = part;

	ASSERT(!in_atomic());
	while (left) {
		struct raw raw = ucopy_raw_zero((void *)(dst.v + (part - left)), left);

		left = raw.left;
		if (left && policy_ucopy_fault(uaddr(raw.fault), true)) {
			/* A quadword over the border of the last good page: its bytes before the border still count. */
			u64 at = dst.v + (part - left);

			if (at < (raw.fault & PAGE_MASK)) {
				size_t some = (raw.fault & PAGE_MASK) - at;

				left -= some - ucopy_raw_zero((void *)at, some).left;
			}
			break;
		}
	}
	return left + (n - part);
}

#define ONES 0x0101010101010101ul
#define HIGHS 0x8080808080808080ul

/* By aligned quadwords, which never cross a page. */
ssize_t ucopy_string(struct uspace *us, char *dst, uaddr_t src, size_t max)
{
	size_t part = user_part(us, src.v, max), len = 0;
	u64 word, zeros;

	ASSERT(!in_atomic());
	while (len < part) {
		u64 at = src.v + len;
		u32 skip = at & 7;
		size_t some = min_t(size_t, 8 - skip, part - len);

		while (unlikely(ucopy_raw_load64(at - skip, &word)))
			if (policy_ucopy_fault(uaddr(at), false))
				return -EFAULT;
		word >>= skip * 8;
		zeros = (word - ONES) & ~word & HIGHS;
		if (zeros) {
			size_t n = (u32)__builtin_ctzl(zeros) / 8;

			if (n < some) {
				memcpy(dst + len, &word, n + 1);
				return (ssize_t)(len + n);
			}
		}
		memcpy(dst + len, &word, some);
		len += some;
	}
	return part < max ? -EFAULT : -ENAMETOOLONG;
}

int ucopy_prefault(struct uspace *us, uaddr_t addr, size_t n, bool is_write)
{
	u64 at = addr.v, end;

	ASSERT(!in_atomic());
	if (!n)
		return 0;
	if (user_part(us, addr.v, n) < n)
		return -EFAULT;
	for (end = at + n; at < end; at = (at & PAGE_MASK) + PAGE_SIZE)
		while (is_write ? ucopy_raw_touch_write(at) : ucopy_raw_touch_read(at))
			if (policy_ucopy_fault(uaddr(at), is_write))
				return -EFAULT;
	return 0;
}

int ucopy_load32(struct uspace *us, uaddr_t addr, u32 *val)
{
	if (user_part(us, addr.v, 4) < 4 || addr.v % 4 || ucopy_raw_load32(addr.v, val))
		return -EFAULT;
	return 0;
}

int ucopy_cmpxchg32(struct uspace *us, uaddr_t addr, u32 expect, u32 store, u32 *old)
{
	if (user_part(us, addr.v, 4) < 4 || addr.v % 4 || ucopy_raw_cmpxchg32(addr.v, expect, store, old))
		return -EFAULT;
	return 0;
}
