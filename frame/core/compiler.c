/* SPDX-License-Identifier: MPL-2.0 */
/* Functions that the compiler calls by itself. */
#include <frame/log.h>

void __stack_chk_fail(void);
int __popcountdi2(u64 x);

/* The stack protector found a canary overwritten. */
__attribute__((no_stack_protector)) void __stack_chk_fail(void)
{
	panic("stack smashed in the function that returns to %p", __builtin_return_address(0));
}

/* __builtin_popcount, on a CPU that need not have POPCNT: Warren, "Hacker's Delight", 5-1. */
int __popcountdi2(u64 x)
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (int)(x * 0x0101010101010101 >> 56);
}
