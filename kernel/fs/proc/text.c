/* SPDX-License-Identifier: MPL-2.0 */
/* Text that grows as it is written. */
#include <lib/printf.h>
#include <lib/string.h>
#include "fs/proc/internal.h"
#include "mm/alloc.h"

#define FIRST_BYTES 1024
#define MOST_BYTES (4u << 20)

static bool reserve(struct proc_text *t, size_t more)
{
	size_t max = t->max ? t->max : FIRST_BYTES;
	char *buf;

	if (t->has_failed)
		return false;
	while (max < t->len + more + 1)
		max *= 2;
	if (max == t->max)
		return true;
	buf = max <= MOST_BYTES ? krealloc(t->buf, max, ALLOC_SLEEP | ALLOC_USER) : NULL;
	if (!buf) {
		t->has_failed = true;
		return false;
	}
	t->buf = buf;
	t->max = max;
	return true;
}

void pt_add(struct proc_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!reserve(t, 128))
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->max - t->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= t->max - t->len) {
		if (!reserve(t, (size_t)n))
			return;
		va_start(ap, fmt);
		n = vsnprintf(t->buf + t->len, t->max - t->len, fmt, ap);
		va_end(ap);
	}
	t->len += n > 0 ? (size_t)n : 0;
}

void pt_bytes(struct proc_text *t, const char *bytes, size_t n)
{
	if (!reserve(t, n))
		return;
	memcpy(t->buf + t->len, bytes, n);
	t->len += n;
	t->buf[t->len] = 0;
}

void pt_escaped(struct proc_text *t, const char *s, const char *which)
{
	for (; *s; s++) {
		if (strchr(which, *s))
			pt_add(t, "\\%03o", (u8)*s);
		else
			pt_bytes(t, s, 1);
	}
}
