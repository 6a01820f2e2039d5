/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The random number generator (random(7)): ChaCha20 with fast key erasure.
 *
 * A base key collects entropy (hardware generator, timing, what user space writes). Each CPU has a key of its own, derived from the base key, and makes of it
 * four blocks at a time: half of the first replaces the key, the rest is stock for small requests, wiped as it is given out. A large request has a stream
 * of its own, whose beginning replaces the key too. So what was given out cannot be computed from what is in memory later.
 * A CPU's key is derived anew, and its stock thrown away, when the base generation changes: after 5 minutes, or when entropy was mixed in.
 * Locking: base_lock guards the base key; the per-CPU keys are used with preemption off and soft work disabled.
 */
#include <lib/chacha20.h>
#include <lib/string.h>
#include <frame/clock.h>
#include <frame/machine.h>
#include <frame/percpu.h>
#include <frame/spinlock.h>
#include "object/random.h"

#define RESEED_NS (300 * NSEC_PER_SEC)
#define CREDIBLE_BYTES 32

#define STREAM_BYTES (4 * CHACHA20_BLOCK_BYTES)
#define STOCK_BYTES (STREAM_BYTES - CHACHA20_KEY_BYTES)

struct cpu_rng {
	u8 stream[STREAM_BYTES];	/* the key, and behind it the stock */
	u32 n_left;			/* bytes of stock, at the end of the stream; those before them are wiped */
	u64 generation;			/* of the base key it was derived from; 0: none yet */
};

static PERCPU(struct cpu_rng, cpu_rng);
static struct spinlock_soft base_lock = SPINLOCK_INIT("random base");
static u8 base_key[CHACHA20_KEY_BYTES];		/* [base_lock] */
static u64 base_generation = 1;			/* [base_lock to write; a] */
static u64 base_stamp_ns;			/* [base_lock; a] when it was last fed by the hardware */
static u32 credited_bytes;			/* [a] */

/* A memset the compiler may not drop. */
static __noinline void memory_wipe(void *p, size_t n)
{
	memset(p, 0, n);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static const u8 zero_nonce[CHACHA20_NONCE_BYTES];

/* Replaces `key` by a function of itself and `data`: the key stream XORed into, block by block. base_lock held for the base key. */
static void mix_into(u8 key[CHACHA20_KEY_BYTES], const void *data, size_t n)
{
	const u8 *bytes = data;
	struct chacha20 state;
	u8 block[CHACHA20_BLOCK_BYTES];

	do {
		size_t part = min(n, (size_t)CHACHA20_KEY_BYTES);

		for (size_t i = 0; i < part; i++)
			key[i] ^= bytes[i];
		chacha20_init(&state, key, zero_nonce, 0);
		chacha20_block(&state, block);
		memcpy(key, block, CHACHA20_KEY_BYTES);
		bytes += part;
		n -= part;
	} while (n);
}

static void base_changed(void)
{
	__atomic_store_n(&base_generation, base_generation + 1, __ATOMIC_RELEASE);
}

static void feed_from_hardware(void)
{
	struct {
		u8 bytes[CREDIBLE_BYTES];
		u64 now;
	} seed = { .now = clock_now_ns() };
	size_t credible = machine_entropy(seed.bytes, sizeof(seed.bytes));

	SPIN_GUARD_SOFT(&base_lock);
	mix_into(base_key, &seed, sizeof(seed));
	__atomic_store_n(&base_stamp_ns, seed.now, __ATOMIC_RELAXED);
	__atomic_fetch_add(&credited_bytes, (u32)credible, __ATOMIC_RELAXED);
	base_changed();
}

void random_init(void)
{
	feed_from_hardware();
}

void random_mix(const void *data, size_t n)
{
	SPIN_GUARD_SOFT(&base_lock);
	mix_into(base_key, data, n);
	base_changed();
}

/* Derives this CPU's key from the base key, which is itself replaced. Soft work disabled. */
static void derive(struct cpu_rng *rng)
{
	u32 cpu = cpu_id();

	SPIN_GUARD_SOFT(&base_lock);
	rng->generation = base_generation;
	rng->n_left = 0;
	memcpy(rng->stream, base_key, CHACHA20_KEY_BYTES);
	mix_into(rng->stream, &cpu, sizeof(cpu));
	mix_into(base_key, "derived", 7);
}

/* Overwrites the key that it makes the stream of. Soft work disabled. */
static __noinline void restock(struct cpu_rng *rng)
{
	struct chacha20 state;

	chacha20_init(&state, rng->stream, zero_nonce, 0);
	for (u32 at = 0; at < STREAM_BYTES; at += CHACHA20_BLOCK_BYTES)
		chacha20_block(&state, rng->stream + at);
	memory_wipe(&state, sizeof(state));
	rng->n_left = STOCK_BYTES;
}

static void take_small(struct cpu_rng *rng, void *buf, size_t n)
{
	u8 *from;

	if (n > rng->n_left)
		restock(rng);
	from = rng->stream + STREAM_BYTES - rng->n_left;
	rng->n_left -= (u32)n;
	memcpy(buf, from, n);
	memory_wipe(from, n);
}

/* `block`: what is left of the first block behind its new key. */
static void take_large(struct chacha20 *state, u8 block[CHACHA20_BLOCK_BYTES], u8 *out, size_t n)
{
	for (size_t from = CHACHA20_KEY_BYTES;; from = 0) {
		size_t part = min(n, CHACHA20_BLOCK_BYTES - from);

		memcpy(out, block + from, part);
		out += part;
		n -= part;
		if (!n)
			break;
		chacha20_block(state, block);
	}
	memory_wipe(block, CHACHA20_BLOCK_BYTES);
	memory_wipe(state, sizeof(*state));
}

static struct cpu_rng *rng_begin(void)
{
	struct cpu_rng *rng;

	if (clock_now_ns() - __atomic_load_n(&base_stamp_ns, __ATOMIC_RELAXED) > RESEED_NS)
		feed_from_hardware();
	soft_disable();
	rng = this_cpu(cpu_rng);
	if (rng->generation != __atomic_load_n(&base_generation, __ATOMIC_ACQUIRE))
		derive(rng);
	return rng;
}

static __noinline void random_many(void *buf, size_t n)
{
	u8 block[CHACHA20_BLOCK_BYTES];
	struct chacha20 state;
	struct cpu_rng *rng = rng_begin();

	chacha20_init(&state, rng->stream, zero_nonce, 0);
	chacha20_block(&state, block);
	memcpy(rng->stream, block, CHACHA20_KEY_BYTES);
	soft_enable();
	take_large(&state, block, buf, n);
}

void random_bytes(void *buf, size_t n)
{
	if (unlikely(n > STOCK_BYTES)) {
		random_many(buf, n);
		return;
	}
	take_small(rng_begin(), buf, n);
	soft_enable();
}

u64 random_u64(void)
{
	u64 v;

	random_bytes(&v, sizeof(v));
	return v;
}

u64 random_below(u64 n)
{
	u64 limit = n ? ~0ull - ~0ull % n : 0, v;

	if (n == 0)
		return 0;
	do {
		v = random_u64();
	} while (v >= limit);
	return v % n;
}

bool random_is_ready(void)
{
	return __atomic_load_n(&credited_bytes, __ATOMIC_RELAXED) >= CREDIBLE_BYTES;
}

u32 random_entropy_bits(void)
{
	return random_is_ready() ? 256 : 0;
}
