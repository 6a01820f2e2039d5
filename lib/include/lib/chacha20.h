/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/chacha20.h: the ChaCha20 block function (RFC 8439), the core of the random number generator.
 *
 * Contract: pure; the state is the caller's, who also wipes it and the output when done.
 */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include <lib/types.h>

#define CHACHA20_KEY_BYTES 32
#define CHACHA20_NONCE_BYTES 12
#define CHACHA20_BLOCK_BYTES 64

struct chacha20 {
	u32 word[16]; /* constants, key, counter (word 12), nonce */
};

void chacha20_init(struct chacha20 *state, const u8 key[CHACHA20_KEY_BYTES],
		   const u8 nonce[CHACHA20_NONCE_BYTES], u32 counter);
/* The next 64 bytes of key stream; counts the block counter up (it wraps after 256 GiB). */
void chacha20_block(struct chacha20 *state, u8 out[CHACHA20_BLOCK_BYTES]);

#endif
