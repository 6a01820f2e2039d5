/* SPDX-License-Identifier: MPL-2.0 */
/* Planted undefined behaviour that UBSAN must catch (debug build). */
#include <frame/log.h>
#include "ktest.h"

#ifdef KEEL_DEBUG

extern s32 ktest_ubsan_number;
extern u64 ktest_ubsan_sink;
s32 ktest_ubsan_number;
u64 ktest_ubsan_sink;

static s32 hide(s32 n)
{
	WRITE_ONCE(ktest_ubsan_number, n);
	return READ_ONCE(ktest_ubsan_number);
}

KTEST(ubsan_shift)
{
	ktest_ubsan_sink = 1u << hide(31);
	KT_EXPECT_REPORT(REPORT_UBSAN)
		ktest_ubsan_sink = 1u << hide(32);
	KT_EXPECT_REPORT(REPORT_UBSAN)
		ktest_ubsan_sink = 1ul << hide(-1);
}

KTEST(ubsan_index)
{
	static u8 table[2][4];

	ktest_ubsan_sink = table[hide(0)][hide(3)];
	/* Inside the object, so that only the index is wrong. */
	KT_EXPECT_REPORT(REPORT_UBSAN)
		ktest_ubsan_sink = table[hide(0)][hide(5)];
}

KTEST(ubsan_bool)
{
	bool b;
	u8 byte = (u8)hide(7);

	__builtin_memcpy(&b, &byte, 1);
	WRITE_ONCE(*(u8 *)&b, byte);
	KT_EXPECT_REPORT(REPORT_UBSAN)
		ktest_ubsan_sink = b;
}


#endif
