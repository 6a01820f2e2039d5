/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/siphash.h: SipHash, a keyed hash that an attacker without the key cannot predict.
 *
 * Contract: siphash24 as in "SipHash: a fast short-input PRF" (Aumasson, Bernstein 2012); siphash13
 * is the lighter variant for hash tables. The key must be random and stay secret. No state.
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <lib/types.h>

struct siphash_key {
	u64 k0;
	u64 k1;
};

u64 siphash24(const void *data, size_t len, const struct siphash_key *key);
u64 siphash13(const void *data, size_t len, const struct siphash_key *key);

#endif
