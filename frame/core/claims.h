/* SPDX-License-Identifier: MPL-2.0 */
/* Who has which range: of device memory, of I/O ports. Ranges do not overlap. Task context. */
#ifndef FRAME_CORE_CLAIMS_H
#define FRAME_CORE_CLAIMS_H

#include <frame/spinlock.h>
#include <lib/types.h>

#define CLAIMS_MAX 256u

struct claims {
	struct spinlock lock;
	struct claim {
		u64 start, end;		/* [l] end 0: not in use */
		const char *name;	/* [l] */
	} slots[CLAIMS_MAX];
};

/* -EBUSY: overlaps with another's; -ENOMEM: too many. `name` must last. */
__must_check int claims_enter(struct claims *c, u64 start, u64 end, const char *name);
void claims_leave(struct claims *c, u64 start);		/* what has been entered with this start */

#endif
