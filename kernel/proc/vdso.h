/* SPDX-License-Identifier: MPL-2.0 */
/* The vDSO's place in each process (vdso(7)): the image that user/vdso makes, and below it the page its functions read. */
#ifndef PROC_VDSO_H
#define PROC_VDSO_H

#include <lib/types.h>

struct exec;

/* The ELF image as it was built; the Makefile links it in (user/vdso/vdso.mk). */
extern const u8 vdso_image[], vdso_image_end[];

void vdso_init(void);
/* Maps both into x->mm and notes the address for AT_SYSINFO_EHDR: 0 with vdso=0 or if there is no room below the limits. -ENOMEM, -EINTR (killed) */
__must_check int vdso_map(struct exec *x);

#endif
