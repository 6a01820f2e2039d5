/* SPDX-License-Identifier: MPL-2.0 */
/* The gzip wrapping of DEFLATE (RFC 1952), and its CRC-32. */
#include <lib/errno.h>
#include <lib/inflate.h>
#include <lib/string.h>

#define HEADER_LEN 10
#define TRAILER_LEN 8
#define METHOD_DEFLATE 8

enum gzip_flag { FTEXT = 1, FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, FRESERVED = 0xe0 };

void crc32_init(u32 table[4][256])
{
	for (u32 i = 0; i < 256; i++) {
		u32 crc = i;

		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
		table[0][i] = crc;
	}
	for (u32 i = 0; i < 256; i++)
		for (unsigned int k = 1; k < 4; k++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
}

/* Four bytes a step: table[k][b] is the effect of byte b with k zero bytes behind it. */
u32 crc32_update(u32 table[4][256], u32 crc, const void *data, size_t len)
{
	const u8 *p = data;

	crc = ~crc;
	for (; len >= 4; len -= 4, p += 4) {
		crc ^= get_le32(p);
		crc = table[3][crc & 0xff] ^ table[2][crc >> 8 & 0xff] ^
		      table[1][crc >> 16 & 0xff] ^ table[0][crc >> 24];
	}
	for (; len; len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

/* Skips a text up to its NUL. */
static int skip_text(const u8 *in, size_t len, size_t *pos)
{
	const u8 *nul = memchr(in + *pos, 0, len - *pos);

	if (!nul)
		return -ENODATA;
	*pos = (size_t)(nul - in) + 1;
	return 0;
}

static int skip_extra(const u8 *in, size_t len, size_t *pos)
{
	size_t extra;

	if (len - *pos < 2)
		return -ENODATA;
	extra = get_le16(in + *pos);
	*pos += 2;
	if (len - *pos < extra)
		return -ENODATA;
	*pos += extra;
	return 0;
}

/* Section 2.3; *pos is then where the DEFLATE stream starts. */
static int parse_header(const u8 *in, size_t len, struct inflate_work *work, size_t *pos)
{
	unsigned int flags;
	int err = 0;

	if (len < HEADER_LEN)
		return gzip_is(in, len) ? -ENODATA : -EINVAL;
	flags = in[3];
	if (!gzip_is(in, len) || in[2] != METHOD_DEFLATE || (flags & FRESERVED))
		return -EINVAL;
	*pos = HEADER_LEN;
	if (flags & FEXTRA)
		err = skip_extra(in, len, pos);
	if (!err && (flags & FNAME))
		err = skip_text(in, len, pos);
	if (!err && (flags & FCOMMENT))
		err = skip_text(in, len, pos);
	if (!err && (flags & FHCRC)) {
		if (len - *pos < 2)
			return -ENODATA;
		if (get_le16(in + *pos) != (u16)crc32_update(work->crc_table, 0, in, *pos))
			return -EINVAL;
		*pos += 2;
	}
	return err;
}

/* Between the decompressor and the caller's sink: counts and sums. */
struct summing {
	struct inflate_work *work;
	inflate_sink_t sink;
	void *ctx;
	u32 crc;
	u32 total;
};

static int summing_sink(void *ctx, const u8 *data, size_t len)
{
	struct summing *sum = ctx;

	sum->crc = crc32_update(sum->work->crc_table, sum->crc, data, len);
	sum->total += (u32)len;
	return sum->sink(sum->ctx, data, len);
}

int gzip_inflate(const void *data, size_t len, struct inflate_work *work, inflate_sink_t sink,
		 void *ctx, size_t *used)
{
	struct summing sum = { .work = work, .sink = sink, .ctx = ctx };
	const u8 *in = data;
	size_t pos, body;
	int err;

	crc32_init(work->crc_table);
	err = parse_header(in, len, work, &pos);
	if (!err)
		err = raw_inflate(in + pos, len - pos, work, summing_sink, &sum, &body);
	if (err)
		return err;
	pos += body;
	if (len - pos < TRAILER_LEN)
		return -ENODATA;
	if (get_le32(in + pos) != sum.crc || get_le32(in + pos + 4) != sum.total)
		return -EINVAL;
	*used = pos + TRAILER_LEN;
	return 0;
}
