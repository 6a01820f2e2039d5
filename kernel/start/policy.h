/* SPDX-License-Identifier: MPL-2.0 */
/* What start-up asks of the tests, where they are linked in (debug build, make KTEST=1). */
#ifndef START_POLICY_H
#define START_POLICY_H

#include <lib/types.h>

/* Runs the tests whose names start with `filter`, TAP on the console; the number of failures. Kernel thread, scheduler running. test/ktest/ktest.c. */
u32 ktest_run(const char *filter);

#endif
