/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/printf.h: formatted text.
 *
 * Contract: conversions d i u x X o c s p %, flags - + space # 0, width and precision (also *),
 * lengths hh h l ll z t j, as in C99. %p is 0x and lower-case hex. %s of NULL prints (null). No
 * floating point and no %n: an unknown conversion is printed as it stands. Results as in C99: the
 * length the whole text has, whatever fitted. Uses about 100 bytes of stack beyond its caller's;
 * takes no lock, allocates nothing; good in any context.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>

#include <lib/types.h>

/* Gets the text piece by piece; never called with len 0. */
typedef void (*printf_sink_t)(void *ctx, const char *text, size_t len);

/* The length of the whole text, at most INT_MAX. */
int __printf(3, 0) vprintf_to(printf_sink_t sink, void *ctx, const char *fmt, va_list args);

/* Writes at most size-1 bytes and a NUL if size > 0; returns the length the whole text has. */
int __printf(3, 0) vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
int __printf(3, 4) snprintf(char *buf, size_t size, const char *fmt, ...);
/* Likewise, but return the bytes really written without the NUL (0 if size is 0): for appending. */
int __printf(3, 0) vscnprintf(char *buf, size_t size, const char *fmt, va_list args);
int __printf(3, 4) scnprintf(char *buf, size_t size, const char *fmt, ...);

#endif
