/* SPDX-License-Identifier: MPL-2.0 */
/* Device registers in I/O ports (x86 only). Claimed before use; the frame's own (PIC, PIT, keyboard controller, …) cannot be. */
#ifndef FRAME_PIO_H
#define FRAME_PIO_H

#include <lib/types.h>

struct pio {
	u16 base, size;
};

__must_check int pio_claim(struct pio *p, u16 base, u16 size, const char *name);	/* -EBUSY, -EINVAL */
void pio_release(struct pio *p);
/* Offsets beyond the size panic (a driver's bug). */
u8 pio_read8(const struct pio *p, u16 off);
void pio_write8(const struct pio *p, u16 off, u8 v);

#endif
