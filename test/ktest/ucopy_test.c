/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/ucopy.h: exact short counts, every address refused that must be, nothing faulted in that must not be. */
#include <frame/page.h>
#include <frame/preempt.h>
#include <frame/spinlock.h>
#include <frame/ucopy.h>
#include <frame/uspace.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "mm/alloc.h"
#include "ktest.h"
#include "user_thread.h"

#define HERE uaddr(USER_DATA + 64)

static u8 buf[3 * PAGE_SIZE], other[3 * PAGE_SIZE];

static void fill(u8 *p, size_t n, u32 seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (u8)(i * 7 + seed);
}

static bool is_all(const u8 *p, size_t n, u8 value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* Forgets what is there: the pages are absent again, and zero when touched. */
static void forget(void)
{
	struct mm_map_request rq = { .addr = USER_DATA, .len = USER_DATA_PAGES * PAGE_SIZE, .prot = VMA_READ | VMA_WRITE, .is_fixed = true };
	u64 addr;

	KT_EXPECT_EQ(mm_map(current_mm(), &rq, &addr), 0);
}

/* Any length at any alignment on both sides, over page borders, faulting pages in as needed. */
static void round_trips(void *arg)
{
	struct uspace *us = current_uspace();

	(void)arg;
	for (u32 n = 0; n < 70; n++) {
		u64 at = USER_DATA + (n % 4 + 1) * PAGE_SIZE - n / 2;
		u32 k = n % 9;

		if (n % 16 == 0)
			forget();
		fill(buf, sizeof(buf), n);
		memset(other, 0xee, sizeof(other));
		KT_EXPECT_EQ(ucopy_to(us, uaddr(at), buf + k, n), 0);
		KT_EXPECT_EQ(ucopy_from(us, other + 8 - k, uaddr(at), n), 0);
		KT_EXPECT(memcmp(other + 8 - k, buf + k, n) == 0);
		KT_EXPECT(other[8 - k + n] == 0xee && is_all(other, 8 - k, 0xee));
	}
	forget();
	fill(buf, sizeof(buf), 1);
	KT_EXPECT_EQ(ucopy_to(us, uaddr(USER_DATA + 100), buf, sizeof(buf)), 0);
	KT_EXPECT_EQ(ucopy_from(us, other, uaddr(USER_DATA + 100), sizeof(other)), 0);
	KT_EXPECT(memcmp(other, buf, sizeof(buf)) == 0);
}

KTEST(ucopy_round_trips)
{
	ktest_as_user(round_trips, NULL);
}

/* `good` bytes, then nothing: exactly those are copied, and the buffer beyond them is as it was. */
static void one_short_copy(struct uspace *us, u32 good, u32 wanted, u32 shift)
{
	uaddr_t at = uaddr(USER_DATA_END - good);

	fill(buf, 128, good);
	KT_EXPECT_EQ(ucopy_to(us, at, buf + shift, wanted), wanted - good);
	memset(other, 0xee, 128);
	KT_EXPECT_EQ(ucopy_from(us, other + shift, at, wanted), wanted - good);
	KT_EXPECT(memcmp(other + shift, buf + shift, good) == 0);
	KT_EXPECT(is_all(other, shift, 0xee) && is_all(other + shift + good, 64, 0xee));
	memset(other, 0xee, 128);
	KT_EXPECT_EQ(ucopy_nofault_from(us, other + shift, at, wanted), wanted - good);
	KT_EXPECT(memcmp(other + shift, buf + shift, good) == 0 && other[shift + good] == 0xee);
	KT_EXPECT_EQ(ucopy_zero(us, at, wanted), wanted - good);
	KT_EXPECT_EQ(ucopy_from(us, other, at, good), 0);
	KT_EXPECT(is_all(other, good, 0));
	KT_EXPECT_EQ(ucopy_nofault_to(us, at, buf + shift, wanted), wanted - good);
	KT_EXPECT_EQ(ucopy_from(us, other, at, good), 0);
	KT_EXPECT(memcmp(other, buf + shift, good) == 0);
}

static void short_counts(void *arg)
{
	struct uspace *us = current_uspace();

	(void)arg;
	for (u32 good = 0; good < 20; good++)
		for (u32 wanted = good; wanted < good + 20; wanted++)
			one_short_copy(us, good, wanted, (good + wanted) % 9);
	/* Pages of which the last ones only become present underway. */
	forget();
	fill(buf, sizeof(buf), 3);
	KT_EXPECT_EQ(ucopy_to(us, uaddr(USER_DATA_END - 2 * PAGE_SIZE - 3), buf, sizeof(buf)), PAGE_SIZE - 3);
	/* The end of user space itself, though it is mapped up to there. */
	KT_EXPECT_EQ(ucopy_from(us, buf, uaddr(USPACE_END - 3), 16), 16);
}

KTEST(ucopy_short_counts)
{
	ktest_as_user(short_counts, NULL);
}

static void bad_addresses(void *arg)
{
	const u64 bad[] = {
		0, 8, PAGE_SIZE, USER_DATA - 1, USER_DATA_END, USER_NONE, USPACE_END - 1, USPACE_END, USPACE_END + 1, 0x7fffffffffff, 0x800000000000,
		0x8000000000000000, 0xffff7fffffffffff, 0xffff800000000000, frame_direct_base + 0x200000, (u64)buf, (u64)&arg, (u64)ucopy_from,
		0xffffc90000000000, ~0ul - 7, ~0ul,
	};
	static const size_t sizes[] = { 1, 4, 8, 64, sizeof(buf) };
	struct uspace *us = current_uspace();
	u32 word = 5;

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		uaddr_t at = uaddr(bad[i]);

		fill(buf, sizeof(buf), 9);
		for (u32 j = 0; j < ARRAY_SIZE(sizes); j++) {
			size_t n = sizes[j], left = bad[i] == USER_DATA - 1 ? 1 : n;

			if (left < n)
				continue;	/* what follows the bad byte does not matter */
			KT_EXPECT_EQ(ucopy_from(us, buf, at, n), n);
			KT_EXPECT_EQ(ucopy_to(us, at, buf, n), n);
			KT_EXPECT_EQ(ucopy_zero(us, at, n), n);
			KT_EXPECT_EQ(ucopy_nofault_from(us, buf, at, n), n);
			KT_EXPECT_EQ(ucopy_nofault_to(us, at, buf, n), n);
			KT_EXPECT_EQ(ucopy_string(us, (char *)buf, at, n), -EFAULT);
			KT_EXPECT_EQ(ucopy_prefault(us, at, n, false), -EFAULT);
			KT_EXPECT_EQ(ucopy_prefault(us, at, n, true), -EFAULT);
		}
		KT_EXPECT_EQ(ucopy_load32(us, at, &word), -EFAULT);
		KT_EXPECT_EQ(ucopy_cmpxchg32(us, at, 0, 1, &word), -EFAULT);
		KT_EXPECT_EQ(word, 5);
		fill(other, 64, 9);
		KT_EXPECT(memcmp(buf, other, 64) == 0);
		/* Nothing is nothing, wherever. */
		KT_EXPECT_EQ(ucopy_from(us, buf, at, 0), 0);
		KT_EXPECT_EQ(ucopy_to(us, at, buf, 0), 0);
		KT_EXPECT_EQ(ucopy_zero(us, at, 0), 0);
		KT_EXPECT_EQ(ucopy_prefault(us, at, 0, true), 0);
	}
	/* Lengths that would run around the end of the world. */
	KT_EXPECT_EQ(ucopy_prefault(us, HERE, ~0ul, false), -EFAULT);
	KT_EXPECT_EQ(ucopy_zero(us, HERE, ~0ul), ~0ul - (USER_DATA_END - HERE.v));
}

KTEST(ucopy_bad_addresses)
{
	ktest_as_user(bad_addresses, NULL);
}

static void protections(void *arg)
{
	struct uspace *us = current_uspace();
	u32 word;

	(void)arg;
	memset(buf, 0xaa, 64);
	KT_EXPECT_EQ(ucopy_to(us, uaddr(USER_CONST), buf, 64), 64);
	KT_EXPECT_EQ(ucopy_zero(us, uaddr(USER_CONST), 64), 64);
	KT_EXPECT_EQ(ucopy_nofault_to(us, uaddr(USER_CONST), buf, 64), 64);
	KT_EXPECT_EQ(ucopy_prefault(us, uaddr(USER_CONST), 64, true), -EFAULT);
	KT_EXPECT_EQ(ucopy_prefault(us, uaddr(USER_CONST), 64, false), 0);
	KT_EXPECT_EQ(ucopy_cmpxchg32(us, uaddr(USER_CONST), 0, 1, &word), -EFAULT);
	KT_EXPECT_EQ(ucopy_load32(us, uaddr(USER_CONST), &word), 0);
	KT_EXPECT_EQ(word, 0);
	KT_EXPECT_EQ(ucopy_from(us, buf, uaddr(USER_CONST), 64), 0);
	KT_EXPECT(is_all(buf, 64, 0));
	KT_EXPECT_EQ(ucopy_from(us, buf, uaddr(USER_NONE), 64), 64);
}

KTEST(ucopy_protections)
{
	ktest_as_user(protections, NULL);
}

/* Nothing becomes present by a nofault copy; with interrupts off and locks held it works on what is. */
static void nofault(void *arg)
{
	struct spinlock_hard lock = SPINLOCK_INIT("ktest ucopy");
	struct uspace *us = current_uspace();
	u64 rss = READ_ONCE(current_mm()->rss_anon);
	u32 word = 1;

	(void)arg;
	KT_EXPECT_EQ(ucopy_nofault_to(us, HERE, buf, 100), 100);
	KT_EXPECT_EQ(ucopy_nofault_from(us, buf, HERE, 100), 100);
	KT_EXPECT_EQ(ucopy_load32(us, HERE, &word), -EFAULT);
	KT_EXPECT_EQ(ucopy_cmpxchg32(us, HERE, 0, 1, &word), -EFAULT);
	KT_EXPECT_EQ(READ_ONCE(current_mm()->rss_anon), rss);
	KT_EXPECT_EQ(ucopy_prefault(us, uaddr(USER_DATA + PAGE_SIZE - 8), 16, true), 0);
	KT_EXPECT_EQ(READ_ONCE(current_mm()->rss_anon), rss + 2);
	fill(buf, 100, 5);
	spin_lock_hard(&lock);
	KT_EXPECT_EQ(ucopy_nofault_to(us, HERE, buf, 100), 0);
	KT_EXPECT_EQ(ucopy_nofault_from(us, other, HERE, 100), 0);
	KT_EXPECT_EQ(ucopy_nofault_from(us, other + 200, uaddr(USER_DATA + 3 * PAGE_SIZE), 8), 8);
	KT_EXPECT_EQ(ucopy_load32(us, HERE, &word), 0);
	spin_unlock_hard(&lock);
	KT_EXPECT(memcmp(buf, other, 100) == 0);
	KT_EXPECT(memcmp(buf, &word, 4) == 0);
	/* Read only, an absent page shows as the zero page and is no memory of the program's. */
	KT_EXPECT_EQ(ucopy_prefault(us, uaddr(USER_DATA + 5 * PAGE_SIZE), PAGE_SIZE, false), 0);
	KT_EXPECT_EQ(ucopy_load32(us, uaddr(USER_DATA + 5 * PAGE_SIZE), &word), 0);
	KT_EXPECT_EQ(READ_ONCE(current_mm()->rss_anon), rss + 2);
}

KTEST(ucopy_nofault)
{
	ktest_as_user(nofault, NULL);
}

static void strings(void *arg)
{
	struct uspace *us = current_uspace();
	char text[64], got[64];

	(void)arg;
	for (u32 len = 0; len < 30; len++) {
		for (u32 shift = 0; shift < 9; shift++) {
			/* Its NUL is the last byte that there is. */
			uaddr_t at = uaddr(USER_DATA_END - len - 1 - (len % 2 ? shift : 0));

			memset(text, 'a' + (char)shift, len);
			text[len] = 0;
			KT_EXPECT_EQ(ucopy_to(us, at, text, len + 1), 0);
			memset(got, 0x7e, sizeof(got));
			KT_EXPECT_EQ(ucopy_string(us, got, at, sizeof(got)), len);
			KT_EXPECT(memcmp(got, text, len + 1) == 0);
			KT_EXPECT_EQ(ucopy_string(us, got, at, len + 1), len);
			memset(got, 0x7e, sizeof(got));
			KT_EXPECT_EQ(ucopy_string(us, got, at, len), -ENAMETOOLONG);
			KT_EXPECT_EQ(got[len], 0x7e);
		}
	}
	/* Over a page border, the second page absent at first. */
	forget();
	memset(text, 'x', 64);
	KT_EXPECT_EQ(ucopy_to(us, uaddr(USER_DATA + PAGE_SIZE - 20), text, 20), 0);
	KT_EXPECT_EQ(ucopy_string(us, got, uaddr(USER_DATA + PAGE_SIZE - 20), 64), 20);
	/* Without an end. */
	KT_EXPECT_EQ(ucopy_to(us, uaddr(USER_DATA_END - 20), text, 20), 0);
	for (u32 i = 1; i <= 20; i++) {
		KT_EXPECT_EQ(ucopy_string(us, got, uaddr(USER_DATA_END - i), 64), -EFAULT);
		KT_EXPECT_EQ(ucopy_string(us, got, uaddr(USER_DATA_END - i), i), -ENAMETOOLONG);
	}
}

KTEST(ucopy_string)
{
	ktest_as_user(strings, NULL);
}

static void words(void *arg)
{
	struct uspace *us = current_uspace();
	u32 old = 9, val = 0x12345678;

	(void)arg;
	KT_EXPECT_EQ(ucopy_prefault(us, HERE, 16, true), 0);
	KT_EXPECT_EQ(ucopy_cmpxchg32(us, HERE, 0, 5, &old), 0);
	KT_EXPECT_EQ(old, 0);
	KT_EXPECT_EQ(ucopy_cmpxchg32(us, HERE, 4, 6, &old), 0);
	KT_EXPECT_EQ(old, 5);
	KT_EXPECT_EQ(ucopy_load32(us, HERE, &val), 0);
	KT_EXPECT_EQ(val, 5);
	KT_EXPECT_EQ(ucopy_cmpxchg32(us, HERE, 5, 0xfffffffe, &old), 0);
	KT_EXPECT_EQ(ucopy_load32(us, HERE, &val), 0);
	KT_EXPECT_EQ(val, 0xfffffffe);
	for (u64 i = 1; i < 4; i++) {
		KT_EXPECT_EQ(ucopy_load32(us, uaddr_add(HERE, i), &val), -EFAULT);
		KT_EXPECT_EQ(ucopy_cmpxchg32(us, uaddr_add(HERE, i), 0, 0, &old), -EFAULT);
	}
}

KTEST(ucopy_words)
{
	ktest_as_user(words, NULL);
}

/* All CPUs count up the same word of one address space. */
static struct mm *shared;
static u32 arrived;

static void count_up(void *arg)
{
	uaddr_t at = uaddr(*(const u64 *)arg);
	u32 old, n = 0;

	current_actor()->mm = shared;
	task_set_uspace(&shared->us);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < cpu_count())
		ktest_sleep_ms(1);
	while (n < 1000) {
		if (ucopy_load32(&shared->us, at, &old)) {
			KT_EXPECT_EQ(ucopy_prefault(&shared->us, at, 4, true), 0);
			continue;
		}
		for (u32 expect = old; ucopy_cmpxchg32(&shared->us, at, expect, expect + 1, &old) || old != expect; expect = old)
			if (ucopy_prefault(&shared->us, at, 4, true))
				ktest_fail(__FILE__, __LINE__, "not there");
		n++;
	}
	task_set_uspace(NULL);
	current_actor()->mm = NULL;
}

KTEST(ucopy_cmpxchg_is_atomic)
{
	struct mm_map_request rq = { .len = PAGE_SIZE, .prot = VMA_READ | VMA_WRITE };
	u32 sum = 0;
	u64 addr;

	arrived = 0;
	KT_EXPECT_EQ(mm_create(&shared), 0);
	KT_EXPECT_EQ(mm_map(shared, &rq, &addr), 0);
	ktest_on_every_cpu(count_up, &addr);
	KT_EXPECT_EQ(mm_access(shared, addr, &sum, 4, false, false), 4);
	KT_EXPECT_EQ(sum, cpu_count() * 1000);
	mm_put(shared);
}

/* KASAN sees the kernel's side of a copy. */
static void kernel_side(void *arg)
{
	u8 *p = kmalloc(24, ALLOC_SLEEP);

	(void)arg;
	KT_EXPECT_EQ(ucopy_to(current_uspace(), HERE, p, 24), 0);
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		KT_EXPECT_EQ(ucopy_to(current_uspace(), HERE, p, 32), 0);
	kfree(p);
	KT_EXPECT_REPORT(REPORT_KASAN_FREED)
		KT_EXPECT_EQ(ucopy_to(current_uspace(), HERE, p, 8), 0);
}

KTEST(ucopy_checks_the_kernel_side)
{
	ktest_as_user(kernel_side, NULL);
}
