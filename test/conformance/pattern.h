/* SPDX-License-Identifier: MPL-2.0 */
/* For the tests that move bytes: files whose contents tell where in them a byte stands. */
#ifndef PATTERN_H
#define PATTERN_H

#include "fs_util.h"

static char buf[1 << 18], pattern[1 << 18];

UNUSED static void pattern_begin(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i * 7 + i / 251);
}

/* A file of the first len bytes of the pattern, open at its start. */
UNUSED static int pattern_file(const char *name, size_t len)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);

	if (fd < 0 || write(fd, pattern, len) != (ssize_t)len)
		bail_out("cannot make %s", name);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

#endif
