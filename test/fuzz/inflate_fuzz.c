/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer on lib/inflate.h: the same bytes as gzip and as a bare stream; output stays within its
 * bound.
 */
#include <lib/inflate.h>
#include <lib/string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *ctx, const u8 *data, size_t len)
{
	size_t *total = ctx;

	if (len == 0 || len > INFLATE_WINDOW)
		abort();
	*total += len;
	/* Reads all of it, for the sanitizers. */
	return memchr(data, 0, len) == data + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct inflate_work work;
	size_t total = 0, used = 0;

	if (gzip_inflate(data, size, &work, count, &total, &used) == 0 && used > size)
		abort();
	if (total > size * 1032 + 258)
		abort();
	total = 0;
	if (raw_inflate(data, size, &work, count, &total, &used) == 0 && used > size)
		abort();
	if (total > size * 1032 + 258)
		abort();
	return 0;
}
