/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Moving bytes between open files inside the kernel: splice(2), tee(2), vmsplice(2), sendfile(2), copy_file_range(2).
 * Bytes moved, 0 at the end of input, or the errors of the man pages. All can be interrupted by signals between pages.
 */
#ifndef FS_SPLICE_H
#define FS_SPLICE_H

#include <lib/types.h>

struct file;
struct iov_iter;

/* One end of a transfer. */
struct splice_end {
	struct file *file;
	bool has_pos;		/* an offset was given: `pos`, which moves on; else the file's own is used and moves */
	u64 pos;
};

__must_check int splice_check_offsets(const struct splice_end *in, const struct splice_end *out);	/* -ESPIPE: one for a pipe */
__must_check ssize_t fs_splice(struct splice_end *in, struct splice_end *out, size_t len, u32 flags);	/* SPLICE_F_* */
__must_check ssize_t fs_tee(struct file *in, struct file *out, size_t len, u32 flags);
/* Into a pipe open for writing, else out of one open for reading. */
__must_check ssize_t fs_vmsplice(struct file *f, struct iov_iter *it, u32 flags);
__must_check ssize_t fs_sendfile(struct file *out, struct splice_end *in, size_t len);
__must_check ssize_t fs_copy_range(struct splice_end *in, struct splice_end *out, size_t len);

#endif
