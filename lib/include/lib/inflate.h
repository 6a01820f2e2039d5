/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/inflate.h: decompresses DEFLATE (RFC 1951) and gzip (RFC 1952).
 *
 * Contract: the input lies in memory; output goes out through a callback in pieces of at most 32
 * KiB; the work area (about 45 KiB, with the window) is the caller's and needs no initialisation.
 * Corrupt input of any kind ends in an error, having read nothing outside the input and written
 * nothing outside the work area; time and output are bounded by the input (about 1032 bytes out for
 * one byte in), and by the callback, which may stop it.
 */
#ifndef LIB_INFLATE_H
#define LIB_INFLATE_H

#include <lib/types.h>

#define INFLATE_WINDOW 32768

/* Takes the next @len bytes; not 0 stops the decompression with that result. */
typedef int (*inflate_sink_t)(void *ctx, const u8 *data, size_t len);

#define INFLATE_FAST_BITS 10

/* A canonical Huffman code: a table for short codes, counts for the long. */
struct inflate_code {
	u16 fast[1 << INFLATE_FAST_BITS]; /* symbol << 4 | length; 0: long or no code */
	u16 count[16];                    /* codes of each length */
	u16 symbol[288];                  /* symbols in order of their codes */
};

struct inflate_work {
	u8 window[INFLATE_WINDOW];
	struct inflate_code literal;
	struct inflate_code distance;
	u32 crc_table[4][256];
	u8 lengths[320];
};

/* What is at the start of the range. */
static inline bool gzip_is(const void *data, size_t len)
{
	const u8 *p = data;

	return len >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/*
 * One gzip member: header, data, CRC and length. 0 and *used (bytes of input taken; there may be
 * another member or padding behind); -EINVAL if it is not gzip or corrupt, -ENODATA if it is cut
 * short, or what the sink returned.
 */
int __must_check gzip_inflate(const void *data, size_t len, struct inflate_work *work,
			      inflate_sink_t sink, void *ctx, size_t *used);
/* Likewise for a bare DEFLATE stream. */
int __must_check raw_inflate(const void *data, size_t len, struct inflate_work *work,
			     inflate_sink_t sink, void *ctx, size_t *used);

/* The CRC of gzip (and PNG, Ethernet); start with 0. crc32_init fills @table. */
void crc32_init(u32 table[4][256]);
u32 crc32_update(u32 table[4][256], u32 crc, const void *data, size_t len);

#endif
