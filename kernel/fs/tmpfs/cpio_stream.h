/* SPDX-License-Identifier: MPL-2.0 */
/*
 * newc archives as a stream of pieces of any size: the front of lib/cpio.h for input that is not in memory as a whole (the output of gzip).
 * Headers and names are gathered and parsed by lib/cpio; file data is passed through as it comes.
 */
#ifndef FS_TMPFS_CPIO_STREAM_H
#define FS_TMPFS_CPIO_STREAM_H

#include <lib/cpio.h>

#define CPIO_HEADER 110
#define CPIO_NAME_MAX 4096

struct cpio_stream {
	/* An entry begins; then its data in pieces, entry->size bytes in all; then the end. 0 or -errno, which ends the stream. */
	int (*begin)(struct cpio_stream *s, const struct cpio_entry *entry);
	int (*data)(struct cpio_stream *s, const u8 *data, size_t len);
	int (*end)(struct cpio_stream *s);
	const char *error;	/* what is wrong, after -EINVAL */
	u32 archive;		/* archives ended so far */
	u8 state;
	size_t have, want;	/* gathered, and to be gathered, of header and name */
	size_t left;		/* of the file's data, or of padding */
	size_t size;		/* of the entry's data */
	u8 head[CPIO_HEADER + CPIO_NAME_MAX + 4];
};

void cpio_stream_init(struct cpio_stream *s);
/* Takes in up to len bytes; *used says how many: fewer than len only where, between archives, something begins that is no newc header. */
__must_check int cpio_stream_feed(struct cpio_stream *s, const u8 *data, size_t len, size_t *used);
/* Whether the stream may end here: no entry is cut short. */
bool cpio_stream_is_whole(const struct cpio_stream *s);

#endif
