/* SPDX-License-Identifier: MPL-2.0 */
/* Reference counts that saturate instead of wrapping, and refuse resurrection. */
#ifndef OBJECT_REF_H
#define OBJECT_REF_H

#include <lib/types.h>
#include <frame/log.h>

struct ref {
	u32 n;		/* [a] */
};

static inline void ref_init(struct ref *r)
{
	r->n = 1;
}

static inline void ref_get(struct ref *r)
{
	u32 old = __atomic_fetch_add(&r->n, 1, __ATOMIC_RELAXED);

	BUG_ON(old == 0 || old >= 0x7fffffff);
}

/* False if the object is already on its way out (look-ups under RCU). */
static inline __must_check bool ref_try_get(struct ref *r)
{
	u32 n = __atomic_load_n(&r->n, __ATOMIC_RELAXED);

	while (n)
		if (__atomic_compare_exchange_n(&r->n, &n, n + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* True if this was the last: the caller destroys. */
static inline __must_check bool ref_put(struct ref *r)
{
	u32 old = __atomic_fetch_sub(&r->n, 1, __ATOMIC_ACQ_REL);

	if (likely(old > 1))
		return false;
	BUG_ON(old == 0);
	return true;
}

static inline u32 ref_count(const struct ref *r)
{
	return __atomic_load_n(&r->n, __ATOMIC_RELAXED);
}

#endif
