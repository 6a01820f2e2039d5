/* SPDX-License-Identifier: MPL-2.0 */
/* Device registers in memory. A range is claimed before it is touched; the frame's own (APICs, RAM, …) cannot be. */
#ifndef FRAME_MMIO_H
#define FRAME_MMIO_H

#include <lib/types.h>
#include <frame/page.h>

struct mmio {
	u64 base;		/* [f] mapped uncached */
	size_t size;		/* bytes */
	paddr_t start;		/* [f] */
};

/* -EBUSY: the frame's, RAM, or already claimed. -EINVAL, -ENOMEM. Task context. */
__must_check int mmio_claim(struct mmio *m, paddr_t start, size_t size, const char *name);
void mmio_release(struct mmio *m);
/* Offsets are checked against the size: panics beyond it (a driver's bug). */
u8 mmio_read8(const struct mmio *m, size_t off);
u16 mmio_read16(const struct mmio *m, size_t off);
u32 mmio_read32(const struct mmio *m, size_t off);

#endif
