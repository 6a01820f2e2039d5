/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random numbers: ChaCha20 keyed from hardware entropy and interrupt timing, per-CPU state rekeyed after each use (fast key erasure), reseeded every
 * 5 minutes. random(7), getrandom(2).
 */
#ifndef OBJECT_RANDOM_H
#define OBJECT_RANDOM_H

#include <lib/types.h>

void random_init(void);
void random_bytes(void *buf, size_t n);		/* any context but hard */
u64 random_u64(void);
u64 random_below(u64 n);			/* uniform in [0, n) */
void random_mix(const void *data, size_t n);	/* adds to the pool; credits nothing */
bool random_is_ready(void);			/* seeded with credible entropy */
u32 random_entropy_bits(void);

#endif
