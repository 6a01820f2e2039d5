/* SPDX-License-Identifier: MPL-2.0 */
/* What the file calls of syscall/ ask of the core: one function a call, arguments decoded and flags checked. Errors as the man pages have them. */
#ifndef FS_CALLS_H
#define FS_CALLS_H

#include "fs/vfs.h"

/* --- open.c */
struct open_request {
	u32 flags;		/* O_*: only known ones */
	u32 mode;		/* permission bits before the umask */
	u32 lookup;		/* LOOKUP_* from openat2's RESOLVE_* */
};
__must_check int fs_open(s32 dirfd, const struct user_path *up, const struct open_request *rq, struct file **out);

/* --- modify.c, rename.c */
__must_check int fs_mkdir(s32 dirfd, const struct user_path *up, u32 mode);
__must_check int fs_mknod(s32 dirfd, const struct user_path *up, u32 mode, u64 rdev);
__must_check int fs_symlink(const char *target, s32 dirfd, const struct user_path *up);
__must_check int fs_unlink(s32 dirfd, const struct user_path *up, bool is_rmdir);
__must_check int fs_link(s32 olddir, const struct user_path *old, s32 newdir, const struct user_path *new, u32 lookup);
__must_check int fs_rename(s32 olddir, const struct user_path *old, s32 newdir, const struct user_path *new, u32 flags);

/* --- query.c */
__must_check int fs_lookup(s32 dirfd, const struct user_path *up, u32 lookup, struct path *out);
__must_check int fs_stat(s32 dirfd, const struct user_path *up, u32 lookup, struct kstat *st);
__must_check int fs_access(s32 dirfd, const struct user_path *up, u32 lookup, u32 mask, bool use_effective);
__must_check ssize_t fs_readlink(s32 dirfd, const struct user_path *up, char *buf, size_t max);
__must_check int fs_chmod(const struct path *p, u32 mode);
__must_check int fs_chown(const struct path *p, u32 uid, u32 gid);	/* ~0: leave it */
__must_check int fs_truncate(const struct path *p, s64 size);
__must_check int fs_chdir(const struct path *p);
__must_check int fs_chroot(const struct path *p);
__must_check ssize_t fs_getcwd(char *buf, size_t max, char **start);	/* length with the NUL; text at the end of buf. -ENOENT, -ENAMETOOLONG */

/* --- readwrite.c */
/* As file_read and file_write, with RWF_*: -EOPNOTSUPP. */
__must_check ssize_t file_read_flags(struct file *f, struct iov_iter *it, u64 *pos, u32 rwf);
__must_check ssize_t file_write_flags(struct file *f, struct iov_iter *it, u64 *pos, u32 rwf);
__must_check s64 file_lseek(struct file *f, s64 off, u32 whence);
__must_check int file_iterate(struct file *f, struct dir_sink *sink);
__must_check int file_sync(struct file *f, u64 start, u64 end, bool data_only);
__must_check int file_truncate(struct file *f, s64 size);
__must_check int file_fallocate(struct file *f, u32 mode, s64 off, s64 len);

/* --- mounting.c, pivot.c */
__must_check int fs_mount(const char *source, const struct path *where, const char *type, u64 flags, const char *options);
__must_check int fs_umount(const struct path *p, u32 flags);		/* takes the reference over */
__must_check int fs_pivot_root(const struct path *new_root, const struct path *put_old);

/* --- super.c */
void fs_sync(void);
__must_check int fs_syncfs(struct file *f);

#endif
