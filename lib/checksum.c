/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The Internet checksum. One's-complement addition does not care about word width or byte order
 * (RFC 1071 section 2), so we add eight bytes at a time and fold.
 */
#include <lib/checksum.h>

static inline u64 add_carry(u64 a, u64 b)
{
	u64 sum = a + b;

	return sum + (sum < b);
}

static inline u32 fold_to_32(u64 sum)
{
	sum = (sum & U32_MAX) + (sum >> 32);
	return (u32)((sum & U32_MAX) + (sum >> 32));
}

u32 csum_partial(const void *data, size_t len, u32 initial)
{
	const u8 *p = data;
	u64 sum = initial;
	u64 last = 0;

	for (; len >= 8; len -= 8, p += 8)
		sum = add_carry(sum, get_le64(p));
	for (size_t i = 0; i < len; i++)
		last |= (u64)p[i] << (8 * i);
	return fold_to_32(add_carry(sum, last));
}

u32 csum_pseudo_v4(const u8 src[4], const u8 dst[4], u16 len, u8 proto, u32 sum)
{
	u64 all = (u64)get_le32(src) + get_le32(dst) + cpu_to_be16(len) + ((u64)proto << 8) + sum;

	return fold_to_32(all);
}

u32 csum_pseudo_v6(const u8 src[16], const u8 dst[16], u32 len, u8 proto, u32 sum)
{
	u64 all = (u64)cpu_to_be32(len) + ((u64)proto << 24) + sum;

	for (unsigned int i = 0; i < 16; i += 4)
		all += (u64)get_le32(src + i) + get_le32(dst + i);
	return fold_to_32(all);
}
