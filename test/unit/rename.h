/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Included before everything else (-include) in host builds of lib/ and of its tests: lib/ defines
 * functions with libc's names, so here they get others. The host's headers come first, since they
 * must declare the real ones; what a test needs of those goes through the host_ functions.
 */
#ifndef TEST_UNIT_RENAME_H
#define TEST_UNIT_RENAME_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static inline int
host_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	return vsnprintf(buf, size, fmt, args);
}

#define memcpy keel_memcpy
#define memmove keel_memmove
#define memset keel_memset
#define memcmp keel_memcmp
#define memchr keel_memchr
#define memrchr keel_memrchr
#define memmem keel_memmem
#define strlen keel_strlen
#define strnlen keel_strnlen
#define strcmp keel_strcmp
#define strncmp keel_strncmp
#define strchr keel_strchr
#define strrchr keel_strrchr
#define strstr keel_strstr
#define strlcpy keel_strlcpy
#define strlcat keel_strlcat
#define vsnprintf keel_vsnprintf
#define snprintf keel_snprintf

#endif
