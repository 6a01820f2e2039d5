/* SPDX-License-Identifier: MPL-2.0 */
/* System-call numbers (__NR_*), x86-64. */
#ifndef ABI_NUMBER_H
#define ABI_NUMBER_H

#include <lib/types.h>
#include <asm/unistd_64.h>

/* One beyond the highest number of the table we follow (Linux 6.1: set_mempolicy_home_node). */
#define ABI_CALLS 451

#endif
