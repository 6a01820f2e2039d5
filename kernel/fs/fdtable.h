/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Descriptor tables. Look-up takes no lock, shared table or not: RCU plus a reference on the file (none taken when the table is not shared:
 * fd_borrow). Lowest free descriptor in O(log n) by a bitmap tree.
 */
#ifndef FS_FDTABLE_H
#define FS_FDTABLE_H

#include <lib/errno.h>
#include <lib/types.h>
#include "object/ref.h"
#include "object/current.h"
#include "fs/policy.h"		/* fd_limit() */

struct file;
struct fdtable;

/* A borrowed file: must be ended with fd_end on the same thread. */
struct fdref {
	struct file *file;
	bool is_counted;
};

struct fdref fd_lookup(s32 fd);					/* file NULL: not open, or an O_PATH file */
struct fdref fd_lookup_path(s32 fd);				/* O_PATH files are fine */
void file_put(struct file *f);

/* Inline, so that the pair stays in registers. -EBADF as fd_lookup says. */
static inline __must_check int fd_borrow(s32 fd, struct fdref *out)
{
	*out = fd_lookup(fd);
	return out->file ? 0 : -EBADF;
}

static inline __must_check int fd_borrow_path(s32 fd, struct fdref *out)
{
	*out = fd_lookup_path(fd);
	return out->file ? 0 : -EBADF;
}

/* All slots at once, if nobody shares the table: they stay as they are while this thread leaves its descriptors alone. n 0: others share it, borrow one by one. */
struct fd_slots {
	struct file *const *files;
	u32 n;
};
struct fd_slots fd_slots(void);

static inline void fd_end(struct fdref *r)
{
	if (r->is_counted)
		file_put(r->file);
}

struct file *fd_get(s32 fd);					/* counted reference or NULL; O_PATH included */
/* Another process's descriptor (procfs, pidfd_getfd). */
struct file *fdtable_file(struct fdtable *t, s32 fd);
s32 fdtable_next(struct fdtable *t, s32 from);			/* first open descriptor ≥ from, -1 none */
bool fdtable_is_cloexec(struct fdtable *t, s32 fd);

/* Lowest free descriptor ≥ min, reserved: -EMFILE (RLIMIT_NOFILE), -EINVAL (min beyond it), -ENOMEM. Then fd_install or fd_unreserve. */
__must_check int fd_reserve(s32 min, bool cloexec);
/* The same with an open descriptor's file installed; also -EBADF, before the others. */
__must_check int fd_dup(s32 from, s32 min, bool cloexec);
void fd_install(s32 fd, struct file *f);			/* takes over the reference */
void fd_unreserve(s32 fd);
void fd_set_cloexec(s32 fd, bool cloexec);			/* an open descriptor's; nothing for others */
__must_check int fd_get_cloexec(s32 fd, bool *cloexec);		/* -EBADF */
__must_check int fd_install_new(struct file *f, bool cloexec);	/* reserve + install; on error the reference stays the caller's */
__must_check int fd_close(s32 fd);				/* -EBADF, or what flush says */
__must_check int fd_dup_to(s32 from, s32 to, bool cloexec);	/* dup2/dup3; -EBADF */
__must_check int fd_close_range(u32 first, u32 last, bool cloexec_only, bool unshare);

__must_check int fdtable_create(struct fdtable **out);
__must_check int fdtable_fork(struct fdtable *old, struct fdtable **out);	/* copy; -ENOMEM, -EMFILE */
__must_check int fdtable_unshare(void);				/* the current thread gets a copy if others share its table; -ENOMEM, -EMFILE */
u32 fdtable_size(const struct fdtable *t);			/* FDSize of /proc/PID/status */
struct fdtable *fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t);				/* the last one closes everything; task context */
__must_check int fdtable_exec(void);				/* unshares, closes close-on-exec ones; -ENOMEM */

/* Root, working directory, umask. */
struct fsctx;
__must_check int fsctx_create_initial(struct fsctx **out);
__must_check int fsctx_fork(struct fsctx *old, struct fsctx **out);
struct fsctx *fsctx_get(struct fsctx *c);
void fsctx_put(struct fsctx *c);
u32 fsctx_umask(void);
u32 fsctx_set_umask(u32 mask);					/* returns the former */
struct path;
void fsctx_root(struct path *out);				/* referenced, of the current thread */
void fsctx_cwd(struct path *out);
void fsctx_set_root(const struct path *p);			/* chroot(2), chdir(2): takes references of its own */
void fsctx_set_cwd(const struct path *p);
void fsctx_root_of(struct fsctx *c, struct path *out);
void fsctx_cwd_of(struct fsctx *c, struct path *out);
u32 fsctx_umask_of(const struct fsctx *c);
bool fsctx_is_shared(const struct fsctx *c);

#endif
