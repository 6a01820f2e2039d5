/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/utf8.h: UTF-8 (RFC 3629).
 *
 * Contract: strict: overlong forms, surrogates and values past U+10FFFF are errors. Never reads
 * past @len.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <lib/types.h>

#define UTF8_MAX_BYTES 4

static inline bool utf8_is_continuation(u8 byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The length of the sequence that @first begins, 1..4; 0 if no sequence begins so. */
unsigned int utf8_len(u8 first);
/*
 * Decodes one character: its length, or -EILSEQ, or -EAGAIN if the bytes are a good beginning and
 * more are needed.
 */
int __must_check utf8_decode(const u8 *s, size_t len, u32 *cp);
/* Writes 1..4 bytes; their number, or -EILSEQ if @cp is no character. */
int __must_check utf8_encode(u32 cp, u8 out[UTF8_MAX_BYTES]);
/*
 * How many of the last bytes of s[0..len-1] are one character, for erasing it: a whole sequence, or
 * 1 for anything else; 0 if len is 0.
 */
unsigned int utf8_last_len(const u8 *s, size_t len);

#endif
