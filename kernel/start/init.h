/* SPDX-License-Identifier: MPL-2.0 */
/* The last steps of start-up: console, initramfs, init. */
#ifndef START_INIT_H
#define START_INIT_H

void console_choose(void);		/* console= → /dev/console and the kernel's messages */
void initramfs_load(void);		/* the external archive, else the embedded one */
void run_ktests_if_asked(void);		/* keel.ktest: runs them and powers off */
void init_run(void);			/* process 1: rdinit=, init=, or the usual places */

#endif
