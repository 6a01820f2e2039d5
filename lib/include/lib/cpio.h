/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/cpio.h: reads "newc" cpio archives (070701 and 070702) lying in memory.
 *
 * Contract: never reads outside the range it was given, whatever is in it, and always comes to an
 * end. Concatenated archives and zero bytes between entries are passed over, as are the TRAILER!!!
 * entries (initramfs buffer format). As on Linux a missing trailer is no error; in_archive is then
 * still true at the end. Entries point into the range. Names are NUL-terminated inside the range
 * and contain no other NUL; they may be absolute or contain "..", which the caller resolves as he
 * likes. A hard link (nlink > 1, same ino and dev within one archive) may carry its data in any one
 * of its entries, in newc mostly the last; `archive` counts the archives, since inode numbers are
 * unique only within one.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include <lib/types.h>

struct cpio_iter {
	const u8 *base;
	size_t len;
	size_t pos;          /* next byte to read; after an error, where the bad entry starts */
	u32 archive;         /* archives ended so far */
	bool in_archive;     /* an entry was seen and no trailer since */
	const char *error;   /* what is wrong, after an error */
};

struct cpio_entry {
	const char *name;
	size_t name_len; /* without the NUL */
	const u8 *data;
	size_t size;
	u32 ino;
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u32 mtime;
	u32 dev_major;
	u32 dev_minor;
	u32 rdev_major;
	u32 rdev_minor;
	u32 archive;
};

void cpio_init(struct cpio_iter *it, const void *base, size_t len);
/*
 * 1: *entry is the next one. 0: the end, all of the range is read.
 * -ENOEXEC: at pos, outside any archive, lies something that is not newc (a compressed archive,
 * perhaps).
 * -EINVAL: malformed or cut short; `error` says what, `pos` where. Both errors stay.
 */
int __must_check cpio_next(struct cpio_iter *it, struct cpio_entry *entry);

/* A field of a header: the number that exactly eight hexadecimal digits make. */
bool __must_check cpio_field(const u8 *text, u32 *out);

#endif
