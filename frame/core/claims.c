/* SPDX-License-Identifier: MPL-2.0 */
/* The tables of claims: short and seldom used, so they are searched through. */
#include <frame/core/claims.h>
#include <frame/log.h>
#include <lib/errno.h>

int claims_enter(struct claims *c, u64 start, u64 end, const char *name)
{
	struct claim *unused = NULL;

	SPIN_GUARD(&c->lock);
	for (u32 i = 0; i < CLAIMS_MAX; i++) {
		struct claim *s = &c->slots[i];

		if (!s->end) {
			unused = unused ? unused : s;
		} else if (start < s->end && s->start < end) {
			klog(LOG_WARNING, "%s: %#lx-%#lx is %s's", name, start, end, s->name);
			return -EBUSY;
		}
	}
	if (!unused)
		return -ENOMEM;
	*unused = (struct claim){ start, end, name };
	return 0;
}

void claims_leave(struct claims *c, u64 start)
{
	SPIN_GUARD(&c->lock);
	for (u32 i = 0; i < CLAIMS_MAX; i++)
		if (c->slots[i].end && c->slots[i].start == start) {
			c->slots[i].end = 0;
			return;
		}
	BUG_ON(true);
}
