/* SPDX-License-Identifier: MPL-2.0 */
/* Terminal ioctls and their structs. */
#ifndef ABI_TTY_H
#define ABI_TTY_H

#include <lib/types.h>
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/tty.h>
#include <linux/kd.h>
#include <linux/vt.h>

struct winsize_k {
	u16 ws_row, ws_col, ws_xpixel, ws_ypixel;
};

#endif
