/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/checksum.h: the Internet checksum (RFC 1071, incremental update RFC 1624).
 *
 * Contract: sums are 32-bit one's-complement accumulators in memory byte order, so that
 * csum_fold()'s result is stored into the packet as it is. csum_partial may be continued over
 * pieces; a piece that starts at an odd offset of the packet goes through csum_block_add. Addresses
 * and protocol fields in pseudo headers are in network order where a u8 array is asked for, host
 * order otherwise.
 */
#ifndef LIB_CHECKSUM_H
#define LIB_CHECKSUM_H

#include <lib/types.h>

/* Adds @len bytes, which start at an even offset, to @sum. */
u32 csum_partial(const void *data, size_t len, u32 sum);

static inline u32 csum_add(u32 a, u32 b)
{
	u64 sum = (u64)a + b;

	return (u32)sum + (u32)(sum >> 32);
}

static inline u32 csum_sub(u32 a, u32 b)
{
	return csum_add(a, ~b);
}

/* Adds the sum of a piece that starts at @offset of the whole. */
static inline u32 csum_block_add(u32 sum, u32 piece, size_t offset)
{
	if (offset & 1)
		piece = (piece << 8) | (piece >> 24);
	return csum_add(sum, piece);
}

/* The 16 bits that go into the header. */
static inline u16 csum_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* The checksum of a whole block: 0 over a block that includes a correct checksum field. */
static inline u16 csum(const void *data, size_t len)
{
	return csum_fold(csum_partial(data, len, 0));
}

/* Adds the pseudo header of TCP or UDP over IPv4 (RFC 9293) or IPv6 (RFC 8200). */
u32 csum_pseudo_v4(const u8 src[4], const u8 dst[4], u16 len, u8 proto, u32 sum);
u32 csum_pseudo_v6(const u8 src[16], const u8 dst[16], u32 len, u8 proto, u32 sum);

/* The new checksum when one field, in memory order, changes from @from to @to. */
static inline u16 csum_update16(u16 check, u16 from, u16 to)
{
	return csum_fold(csum_add(csum_sub((u16)~check, from), to));
}

static inline u16 csum_update32(u16 check, u32 from, u32 to)
{
	return csum_fold(csum_add(csum_sub((u16)~check, from), to));
}

#endif
