/* SPDX-License-Identifier: MPL-2.0 */
/* lib/ringbuf.h: against a plain array. */
#include <lib/ringbuf.h>

#include "unit.h"

static void test_random(void)
{
	u8 data[16], model[16], out[40], in[40];
	struct ringbuf rb;
	u32 n = 0;
	u8 next = 0;

	ringbuf_init(&rb, data, sizeof(data));
	/* Start where the counters wrap. */
	rb.head = rb.tail = U32_MAX - 1000;
	for (int round = 0; round < 20000; round++) {
		u32 len = (u32)unit_random_below(20), want;
		u32 skip = (u32)unit_random_below(4);
		u8 byte = 0;

		switch (unit_random_below(6)) {
		case 0:
			for (u32 i = 0; i < len; i++)
				in[i] = (u8)(next + i);
			want = min(len, 16 - n);
			CHECK_EQ(ringbuf_write(&rb, in, len), want);
			for (u32 i = 0; i < want; i++)
				model[n++] = next++;
			break;
		case 1:
			want = min(len, n);
			CHECK_EQ(ringbuf_read(&rb, out, len), want);
			CHECK(memcmp(out, model, want) == 0);
			memmove(model, model + want, n - want);
			n -= want;
			break;
		case 2:
			CHECK(ringbuf_put(&rb, next) == (n < 16));
			if (n < 16)
				model[n++] = next++;
			break;
		case 3:
			CHECK(ringbuf_get(&rb, &byte) == (n > 0));
			if (n > 0) {
				CHECK_EQ(byte, model[0]);
				memmove(model, model + 1, --n);
			}
			break;
		case 4:
			CHECK(ringbuf_unput(&rb, &byte) == (n > 0));
			if (n > 0)
				CHECK_EQ(byte, model[--n]);
			break;
		default:
			want = skip < n ? min(len, n - skip) : 0;
			CHECK_EQ(ringbuf_peek(&rb, out, skip, len), want);
			CHECK(memcmp(out, model + skip, want) == 0);
			break;
		}
		CHECK_EQ(ringbuf_used(&rb), n);
		CHECK_EQ(ringbuf_space(&rb), 16 - n);
		CHECK(ringbuf_is_empty(&rb) == (n == 0) && ringbuf_is_full(&rb) == (n == 16));
	}
	ringbuf_clear(&rb);
	CHECK(ringbuf_is_empty(&rb) && ringbuf_drop(&rb, 5) == 0);
}

UNIT_TESTS("ringbuf", UNIT(test_random));
