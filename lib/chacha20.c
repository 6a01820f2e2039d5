/* SPDX-License-Identifier: MPL-2.0 */
/* The ChaCha20 block function, RFC 8439 section 2.3. */
#include <lib/chacha20.h>

static inline u32 rotl(u32 x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

static inline void quarter_round(u32 *x, unsigned int a, unsigned int b, unsigned int c,
				 unsigned int d)
{
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 7);
}

void chacha20_init(struct chacha20 *state, const u8 key[CHACHA20_KEY_BYTES],
		   const u8 nonce[CHACHA20_NONCE_BYTES], u32 counter)
{
	/* "expand 32-byte k" */
	state->word[0] = 0x61707865;
	state->word[1] = 0x3320646e;
	state->word[2] = 0x79622d32;
	state->word[3] = 0x6b206574;
	for (unsigned int i = 0; i < 8; i++)
		state->word[4 + i] = get_le32(key + 4 * (size_t)i);
	state->word[12] = counter;
	for (unsigned int i = 0; i < 3; i++)
		state->word[13 + i] = get_le32(nonce + 4 * (size_t)i);
}

void chacha20_block(struct chacha20 *state, u8 out[CHACHA20_BLOCK_BYTES])
{
	u32 x[16];

	for (unsigned int i = 0; i < 16; i++)
		x[i] = state->word[i];
	for (unsigned int i = 0; i < 10; i++) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	for (unsigned int i = 0; i < 16; i++)
		put_le32(out + 4 * (size_t)i, x[i] + state->word[i]);
	state->word[12]++;
}
