/* SPDX-License-Identifier: MPL-2.0 */
/* SipHash-c-d after the paper of Aumasson and Bernstein (2012), section 2. */
#include <lib/siphash.h>

static inline u64 rotl(u64 x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static __always_inline u64 siphash(const void *data, size_t len, const struct siphash_key *key,
				   unsigned int rounds, unsigned int final_rounds)
{
	u64 v[4] = {
		key->k0 ^ 0x736f6d6570736575UL,
		key->k1 ^ 0x646f72616e646f6dUL,
		key->k0 ^ 0x6c7967656e657261UL,
		key->k1 ^ 0x7465646279746573UL,
	};
	const u8 *p = data;
	u64 last = (u64)len << 56;

	for (size_t left = len; left >= 8; left -= 8, p += 8) {
		u64 m = get_le64(p);

		v[3] ^= m;
		for (unsigned int i = 0; i < rounds; i++)
			sip_round(v);
		v[0] ^= m;
	}
	for (unsigned int i = 0; i < len % 8; i++)
		last |= (u64)p[i] << (8 * i);
	v[3] ^= last;
	for (unsigned int i = 0; i < rounds; i++)
		sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (unsigned int i = 0; i < final_rounds; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

u64 siphash24(const void *data, size_t len, const struct siphash_key *key)
{
	return siphash(data, len, key, 2, 4);
}

u64 siphash13(const void *data, size_t len, const struct siphash_key *key)
{
	return siphash(data, len, key, 1, 3);
}
