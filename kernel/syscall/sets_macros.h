/* SPDX-License-Identifier: MPL-2.0 */
/* How a flag set is written down: one line a flag, with how it is treated. For sets_*.c only. */
#ifndef SYSCALL_SETS_MACROS_H
#define SYSCALL_SETS_MACROS_H

#include <lib/types.h>
#include "syscall/sets.h"

#define YES(f)		{ (u64)(f), 0, FLAG_SUPPORTED, #f }	/* supported */
#define YES_AS(f, text)	{ (u64)(f), 0, FLAG_SUPPORTED, text }	/* strace, and so the tracer, calls it otherwise */
#define IGN(f)		{ (u64)(f), 0, FLAG_IGNORED, #f }	/* ignored as Linux ignores it */
#define IGN_AS(f, text)	{ (u64)(f), 0, FLAG_IGNORED, text }
#define NO(f)		{ (u64)(f), 0, FLAG_REFUSED, #f }	/* Linux has it, we refuse it */
#define FIELD(f, m)	{ (u64)(f), (u64)(m), FLAG_SUPPORTED, #f }	/* one value of a multi-bit field */
#define IGN_FIELD(f, m)	{ (u64)(f), (u64)(m), FLAG_IGNORED, #f }
#define NO_FIELD(f, m)	{ (u64)(f), (u64)(m), FLAG_REFUSED, #f }

/* A set whose unknown bits get `err` (positive errno). */
#define FLAG_SET(id, err, ...)								\
	static const struct flag_name id##_names[] = { __VA_ARGS__ };			\
	const struct flag_set id = { #id, id##_names, ARRAY_SIZE(id##_names), false, -(err) }
/* A set whose unknown bits are ignored, or whose values the handler judges. */
#define OPEN_SET(id, ...)								\
	static const struct flag_name id##_names[] = { __VA_ARGS__ };			\
	const struct flag_set id = { #id, id##_names, ARRAY_SIZE(id##_names), true, 0 }

#endif
