/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Promises of frame/user.h about the FPU: a program's registers are its own, wherever and however often it is interrupted, and no image
 * that the kernel takes from a program (sigreturn, ptrace) can make the CPU fault.
 */
#include <frame/ucopy.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "mm/alloc.h"
#include "ktest.h"
#include "user_thread.h"

#define LEGACY_BYTES 512u
#define AT_MXCSR 24u
#define AT_REGISTERS 32u		/* x87 (16 bytes each, 10 used), then XMM */
#define AT_XMM 160u
#define AT_XSTATE_BV 512u
#define AT_XCOMP_BV 520u
#define AT_RESERVED 528u
#define AREA uaddr(USER_DATA)

static bool has_xsave(void)
{
	return fpu_state_size() > LEGACY_BYTES;
}

/* An image as a program might have it: other values everywhere for each seed. */
static void make_image(u8 *image, u32 seed)
{
	fpu_store(image);
	image[0] = 0x7f;	/* control word 0x37f, no exception pending, all x87 registers in use */
	image[1] = 3;
	image[2] = image[3] = 0;
	image[4] = 0xff;
	for (u32 i = 0; i < 8; i++)
		for (u32 j = 0; j < 10; j++)
			image[AT_REGISTERS + 16 * i + j] = (u8)(seed + i * 10 + j);
	for (u32 i = 0; i < 256; i++)
		image[AT_XMM + i] = (u8)(seed * 3 + i);
	if (!has_xsave())
		return;
	put_le64(image + AT_XSTATE_BV, fpu_features());
	for (size_t i = AT_XSTATE_BV + 64; i < fpu_state_size(); i++)
		image[i] = fpu_features() == 7 ? (u8)(seed * 5 + i) : 0;	/* what lies there is AVX's upper halves if there is no more */
}

static bool is_same_state(const u8 *a, const u8 *b)
{
	for (u32 i = 0; i < 8; i++)
		if (memcmp(a + AT_REGISTERS + 16 * i, b + AT_REGISTERS + 16 * i, 10))
			return false;
	if (memcmp(a, b, 5) || memcmp(a + AT_MXCSR, b + AT_MXCSR, 4) || memcmp(a + AT_XMM, b + AT_XMM, 256))
		return false;
	return !has_xsave() || fpu_features() != 7 || !memcmp(a + 576, b + 576, 256);
}

/* What the program itself sees in its registers. */
static void look(u8 *image)
{
	struct user_event ev;
	struct user_regs *r = current_task()->regs;

	KT_EXPECT_EQ(ucopy_zero(current_uspace(), AREA, fpu_state_size()), 0);
	r->rip = user_code(has_xsave() ? snippet_xsave : snippet_fxsave);
	r->rdi = USER_DATA;
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
	KT_EXPECT_EQ(ucopy_from(current_uspace(), image, AREA, fpu_state_size()), 0);
}

/* The program loads its registers by itself. */
static void load_as_user(const u8 *image)
{
	struct user_event ev;
	struct user_regs *r = current_task()->regs;

	KT_EXPECT_EQ(ucopy_to(current_uspace(), AREA, image, fpu_state_size()), 0);
	r->rip = user_code(has_xsave() ? snippet_xrstor : snippet_fxrstor);
	r->rdi = USER_DATA;
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
}

struct images {
	u8 *set, *got;
};

static bool images_begin(struct images *im)
{
	im->set = kmalloc(fpu_state_size(), ALLOC_SLEEP | ALLOC_ZERO);
	im->got = kmalloc(fpu_state_size(), ALLOC_SLEEP | ALLOC_ZERO);
	if (im->set && im->got)
		return true;
	ktest_fail(__FILE__, __LINE__, "no memory");
	return false;
}

static void images_end(struct images *im)
{
	kfree(im->set);
	kfree(im->got);
}

static void store_and_load(void *arg)
{
	struct images im;

	(void)arg;
	if (!images_begin(&im))
		return;
	user_begin(snippet_spin);
	for (u32 seed = 1; seed < 20; seed++) {
		make_image(im.set, seed);
		if (seed % 2)
			load_as_user(im.set);
		else
			KT_EXPECT_EQ(fpu_load(im.set, fpu_state_size()), 0);
		fpu_store(im.got);
		KT_EXPECT(is_same_state(im.set, im.got));
		look(im.got);
		KT_EXPECT(is_same_state(im.set, im.got));
	}
	images_end(&im);
}

KTEST(fpu_store_and_load)
{
	ktest_as_user(store_and_load, NULL);
}

/* The legacy part alone: that is set, the rest becomes initial. */
static void legacy(void *arg)
{
	struct images im;

	(void)arg;
	if (!images_begin(&im))
		return;
	user_begin(snippet_spin);
	make_image(im.set, 7);
	KT_EXPECT_EQ(fpu_load(im.set, fpu_state_size()), 0);
	make_image(im.set, 8);
	KT_EXPECT_EQ(fpu_load(im.set, LEGACY_BYTES), 0);
	look(im.got);
	if (has_xsave())
		memset(im.set + 576, 0, fpu_state_size() - 576);
	KT_EXPECT(is_same_state(im.set, im.got));
	images_end(&im);
}

KTEST(fpu_legacy_image)
{
	ktest_as_user(legacy, NULL);
}

static void reset(void *arg)
{
	struct images im;

	(void)arg;
	if (!images_begin(&im))
		return;
	user_begin(snippet_spin);
	for (u32 i = 0; i < 2; i++) {
		make_image(im.set, 77);
		KT_EXPECT_EQ(fpu_load(im.set, fpu_state_size()), 0);
		if (i)
			user_begin(snippet_spin);
		else
			fpu_reset();
		look(im.got);
		KT_EXPECT_EQ(get_le16(im.got), 0x37f);
		KT_EXPECT_EQ(get_le32(im.got + AT_MXCSR), 0x1f80);
		KT_EXPECT_EQ(im.got[4], 0);		/* all x87 registers empty */
		for (u32 j = AT_XMM; j < AT_XMM + 256; j++)
			KT_EXPECT_EQ(im.got[j], 0);
	}
	images_end(&im);
}

KTEST(fpu_reset)
{
	ktest_as_user(reset, NULL);
}

/* An image is refused as a whole, and the registers stay as they were. */
static void expect_refused(struct images *im, size_t size, const char *what)
{
	if (fpu_load(im->set, size) != -EINVAL)
		ktest_fail(__FILE__, __LINE__, "not refused: %s", what);
	look(im->got);
	make_image(im->set, 33);
	KT_EXPECT(is_same_state(im->set, im->got));
}

static void bad_images(void *arg)
{
	size_t size = fpu_state_size();
	struct images im;

	(void)arg;
	if (!images_begin(&im))
		return;
	user_begin(snippet_spin);
	make_image(im.set, 33);
	KT_EXPECT_EQ(fpu_load(im.set, size), 0);
	im.set[AT_MXCSR + 3] = 0x80;
	expect_refused(&im, size, "mxcsr");
	im.set[AT_MXCSR + 2] = 1;
	expect_refused(&im, LEGACY_BYTES, "mxcsr, legacy");
	expect_refused(&im, 0, "size 0");
	expect_refused(&im, LEGACY_BYTES - 1, "size 511");
	if (has_xsave()) {
		expect_refused(&im, size - 1, "one byte less");
		expect_refused(&im, LEGACY_BYTES + 64, "no extended state");
		for (u32 bit = 0; bit < 64; bit++) {
			if (fpu_features() >> bit & 1)
				continue;
			put_le64(im.set + AT_XSTATE_BV, fpu_features() | 1ul << bit);
			expect_refused(&im, size, "xstate_bv");
		}
		put_le64(im.set + AT_XCOMP_BV, 1ul << 63);
		expect_refused(&im, size, "compacted");
		for (u32 i = AT_RESERVED; i < AT_RESERVED + 48; i += 5) {
			im.set[i] = 1;
			expect_refused(&im, size, "header");
		}
	}
	images_end(&im);
}

KTEST(fpu_bad_images)
{
	ktest_as_user(bad_images, NULL);
}

/* Any bytes at all: taken or refused, but the CPU takes what was taken. */
static void random_images(void *arg)
{
	u64 state = 12345;
	struct images im;

	(void)arg;
	if (!images_begin(&im))
		return;
	user_begin(snippet_spin);
	for (u32 round = 0; round < 300; round++) {
		make_image(im.set, round);
		for (u32 i = 0; i < 4; i++) {
			state = state * 6364136223846793005 + 1442695040888963407;
			im.set[(state >> 33) % (round % 2 ? fpu_state_size() : min_t(size_t, 580, fpu_state_size()))] = (u8)(state >> 20);
		}
		if (fpu_load(im.set, fpu_state_size()) == 0)
			fpu_store(im.got);
	}
	fpu_reset();
	look(im.got);
	images_end(&im);
}

KTEST(fpu_random_images)
{
	ktest_as_user(random_images, NULL);
}

/* Several threads with registers of their own, sharing CPUs and moved from one to another. */
static void keep_own(void *arg)
{
	u32 seed = (u32)(size_t)arg;
	struct images im;

	if (!images_begin(&im))
		return;
	user_begin(snippet_spin);
	make_image(im.set, seed);
	load_as_user(im.set);
	KT_EXPECT_EQ(user_set_tls(USER_DATA + seed * 8), 0);
	for (u32 i = 0; i < 100; i++) {
		struct cpuset one = { { 0 } };

		if (i % 3 == 0) {
			cpuset_add(&one, (i / 3 + seed) % cpu_count());
			KT_EXPECT_EQ(sched_set_affinity(current_sched(), &one), 0);
		}
		if (i % 3 == 1)
			sched_yield();
		if (i % 10 == 2)
			ktest_sleep_ms(1);
		look(im.got);
		if (!is_same_state(im.set, im.got)) {
			ktest_fail(__FILE__, __LINE__, "thread %u, round %u: registers lost", seed, i);
			break;
		}
		KT_EXPECT_EQ(user_tls(current_task()), USER_DATA + seed * 8);
	}
	images_end(&im);
}

KTEST(fpu_survives_switches_and_migration)
{
	static struct user_thread threads[12];
	u32 n = min_t(u32, ARRAY_SIZE(threads), 3 * cpu_count());

	for (u32 i = 0; i < n; i++) {
		if (!user_thread_create(&threads[i], keep_own, (void *)(size_t)(i + 1), -1))
			n = i;
		else
			user_thread_start(&threads[i]);
	}
	for (u32 i = 0; i < n; i++)
		user_thread_join(&threads[i]);
}

/* A child begins with its parent's registers and bases, and both go their own ways. */
static void be_child(void *arg)
{
	struct images im;

	if (!images_begin(&im))
		return;
	make_image(im.set, 50);
	look(im.got);
	KT_EXPECT(is_same_state(im.set, im.got));
	KT_EXPECT_EQ(user_tls(current_task()), USER_DATA + 400);
	KT_EXPECT_EQ(user_gs(current_task()), USER_DATA + 800);
	make_image(im.set, 51);
	load_as_user(im.set);
	KT_EXPECT_EQ(user_set_tls(0), 0);
	images_end(&im);
	(void)arg;
}

static void be_parent(void *arg)
{
	static struct user_thread child;
	struct images im;

	(void)arg;
	if (!images_begin(&im))
		return;
	user_begin(snippet_spin);
	make_image(im.set, 50);
	load_as_user(im.set);
	KT_EXPECT_EQ(user_set_tls(USER_DATA + 400), 0);
	KT_EXPECT_EQ(user_set_gs(USER_DATA + 800), 0);
	if (user_thread_create(&child, be_child, NULL, -1)) {
		fpu_fork(&child.sched.actor.task);
		user_thread_start(&child);
		user_thread_join(&child);
	}
	look(im.got);
	KT_EXPECT(is_same_state(im.set, im.got));
	KT_EXPECT_EQ(user_tls(current_task()), USER_DATA + 400);
	images_end(&im);
}

KTEST(fpu_fork)
{
	ktest_as_user(be_parent, NULL);
}
