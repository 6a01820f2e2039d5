/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading, writing, seeking: what the calls do before and after a file's own methods, and the methods of files whose data is in the page cache.
 *
 * The position of a regular file or directory is guarded by pos_lock, which is not taken while nobody else can have the file (one reference, in a
 * table that one thread uses). Writers to one file exclude each other by the inode lock.
 */
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "fs/calls.h"
#include "fs/internal.h"
#include "fs/seals.h"
#include "fs/notify.h"

/* --- read and write through the method */

static bool pos_begin(struct file *f)
{
	if (!(f->mode & FMODE_ATOMIC_POS) || ref_count(&f->refs) == 1)
		return false;
	mutex_lock(&f->pos_lock);
	return true;
}

static void pos_end(struct file *f, bool is_locked)
{
	if (is_locked)
		mutex_unlock(&f->pos_lock);
}

static ssize_t read_own_pos(struct file *f, struct iov_iter *it)
{
	bool is_locked;
	ssize_t n;

	is_locked = pos_begin(f);
	n = passes_end(f->pos, it->count) ? -EINVAL : f->ops->read(f, it, &f->pos);
	pos_end(f, is_locked);
	return n;
}

bool file_is_nonblocking(const struct file *f, const struct iov_iter *it)
{
	return (READ_ONCE(f->flags) & O_NONBLOCK) || it->is_nowait;
}

ssize_t file_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	ssize_t n;

	if (unlikely(!(f->mode & FMODE_READ)))
		return -EBADF;
	if (unlikely(!f->ops->read))
		return S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	if (!pos)
		n = read_own_pos(f, it);
	else
		n = passes_end(*pos, it->count) ? -EINVAL : f->ops->read(f, it, pos);
	if (n > 0)
		notify_access(f);
	return n;
}

static ssize_t write_own_pos(struct file *f, struct iov_iter *it)
{
	bool is_locked;
	ssize_t n;

	is_locked = pos_begin(f);
	n = passes_end(f->pos, it->count) ? -EINVAL : f->ops->write(f, it, &f->pos);
	pos_end(f, is_locked);
	return n;
}

ssize_t file_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	ssize_t n;

	if (unlikely(!(f->mode & FMODE_WRITE)))
		return -EBADF;
	if (unlikely(!f->ops->write))
		return -EINVAL;
	if (!pos)
		n = write_own_pos(f, it);
	else
		n = passes_end(*pos, it->count) ? -EINVAL : f->ops->write(f, it, pos);
	if (n > 0)
		notify_modify(f);
	return n;
}

ssize_t kern_read(struct file *f, void *buf, size_t n, u64 pos)
{
	struct iov_iter it;

	iov_kernel(&it, buf, n);
	return file_read(f, &it, &pos);
}

/* preadv2(2), pwritev2(2). Only files that say so support RWF_NOWAIT. */
static int check_rwf(const struct file *f, struct iov_iter *it, u32 rwf)
{
	if (rwf & ~(u32)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND))
		return -EOPNOTSUPP;
	it->is_nowait = (rwf & RWF_NOWAIT) != 0;
	return it->is_nowait && !(f->mode & FMODE_NOWAIT) ? -EOPNOTSUPP : 0;
}

ssize_t file_read_flags(struct file *f, struct iov_iter *it, u64 *pos, u32 rwf)
{
	bool asks = it->count != 0;
	ssize_t n;

	if (unlikely(!(f->mode & FMODE_READ)))
		return -EBADF;
	if (unlikely(rwf)) {
		int err = check_rwf(f, it, rwf);

		if (err)
			return err;
	}
	n = file_read(f, it, pos);
	if (n == 0 && asks)
		notify_access(f);	/* the vectored calls tell of a read at the end too, as on Linux */
	return n;
}

/* --- Files in the page cache */

ssize_t generic_file_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	ssize_t n;

	if (unlikely(!it->count))
		return 0;
	n = mapping_read(&f->inode->mapping, *pos, it);
	if (n > 0)
		*pos += (u64)n;
	file_touch_atime(f);
	return n;
}

/* write(2), setrlimit(2): at the limit SIGXFSZ and EFBIG; what crosses it is cut. */
static __must_check ssize_t write_limit(struct inode *i, u64 pos, size_t n)
{
	u64 limit = fs_policy_file_size_limit();

	if (!n)
		return 0;
	if (unlikely(limit != ~0ull)) {
		if (pos >= limit) {
			fs_policy_signal(SIGXFSZ);
			return -EFBIG;
		}
		n = min(n, limit - pos);
	}
	if (unlikely(pos >= i->sb->max_bytes))
		return -EFBIG;
	return (ssize_t)min(n, i->sb->max_bytes - pos);
}

static ssize_t write_locked(struct file *f, struct iov_iter *it, u64 *pos, bool append)
{
	struct inode *i = f->inode;
	ssize_t n;

	if (append)
		*pos = i->mapping.size;
	n = write_limit(i, *pos, it->count);
	if (n > 0)
		n = seals_check_write(&i->mapping, *pos, (size_t)n);
	if (n <= 0)
		return n;
	it->count = (size_t)n;
	if (inode_drop_privileges(i))
		notify_file(f, NOTIFY_ATTRIB);
	inode_touch(i, ATTR_MTIME | ATTR_CTIME);
	n = mapping_write(&i->mapping, *pos, it);
	if (n > 0)
		*pos += (u64)n;
	return n;
}

/* io: O_APPEND, O_DSYNC, O_SYNC as they hold for this write. */
static ssize_t write_at(struct file *f, struct iov_iter *it, u64 *pos, u32 io)
{
	ssize_t n;

	rwsem_write_lock(&f->inode->lock);
	n = write_locked(f, it, pos, io & O_APPEND);
	rwsem_write_unlock(&f->inode->lock);
	if (n > 0 && (io & O_DSYNC) && f->ops->fsync) {
		int err = f->ops->fsync(f, *pos - (u64)n, *pos - 1, (io & O_SYNC) != O_SYNC);

		if (err)
			return err;
	}
	return n;
}

ssize_t generic_file_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	return write_at(f, it, pos, READ_ONCE(f->flags));
}

ssize_t file_write_flags(struct file *f, struct iov_iter *it, u64 *pos, u32 rwf)
{
	u32 io = READ_ONCE(f->flags);
	ssize_t n;
	int err;

	if (likely(!rwf))
		return file_write(f, it, pos);
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	err = check_rwf(f, it, rwf);
	if (err)
		return err;
	if (f->ops->write != generic_file_write)
		return file_write(f, it, pos);
	if (rwf & RWF_APPEND)
		io |= O_APPEND;
	if (rwf & RWF_DSYNC)
		io |= O_DSYNC;
	if (rwf & RWF_SYNC)
		io |= O_SYNC;
	if (pos) {
		n = write_at(f, it, pos, io);
	} else {
		bool is_locked = pos_begin(f);

		n = write_at(f, it, &f->pos, io);
		pos_end(f, is_locked);
	}
	if (n > 0)
		notify_modify(f);
	return n;
}

/* --- Position: lseek(2) */

static s64 set_pos(struct file *f, u64 pos, u64 max)
{
	if ((s64)pos < 0 || pos > max)
		return -EINVAL;
	f->pos = pos;
	return (s64)pos;
}

s64 generic_seek_size(struct file *f, s64 off, u32 whence, u64 max, u64 size)
{
	switch (whence) {
	case SEEK_SET:
		return set_pos(f, (u64)off, max);
	case SEEK_CUR:
		return set_pos(f, f->pos + (u64)off, max);
	case SEEK_END:
		return set_pos(f, size + (u64)off, max);
	case SEEK_DATA:		/* a file without holes, as far as we know */
		return (u64)off >= size ? -ENXIO : set_pos(f, (u64)off, max);
	case SEEK_HOLE:
		return (u64)off >= size ? -ENXIO : set_pos(f, size, max);
	default:
		return -EINVAL;
	}
}

static s64 seek_data_or_hole(struct file *f, s64 off, u32 whence)
{
	struct mapping *m = &f->inode->mapping;
	u64 size = READ_ONCE(m->size), index, pos;

	if (off < 0 || (u64)off >= size)
		return -ENXIO;
	if (whence == SEEK_HOLE) {
		index = mapping_next_hole(m, (u64)off >> PAGE_SHIFT);
		pos = index > size >> PAGE_SHIFT ? size : min(index << PAGE_SHIFT, size);
	} else {
		if (!mapping_next_data(m, (u64)off >> PAGE_SHIFT, &index) || index << PAGE_SHIFT >= size)
			return -ENXIO;
		pos = index << PAGE_SHIFT;
	}
	return set_pos(f, max(pos, (u64)off), f->inode->sb->max_bytes);
}

s64 generic_file_lseek(struct file *f, s64 off, u32 whence)
{
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		return seek_data_or_hole(f, off, whence);
	return generic_seek_size(f, off, whence, f->inode->sb->max_bytes, READ_ONCE(f->inode->mapping.size));
}

static s64 seek(struct file *f, s64 off, u32 whence)
{
	if (f->ops->lseek)
		return f->ops->lseek(f, off, whence);
	if (S_ISDIR(f->inode->mode))
		return whence > SEEK_CUR ? -EINVAL : generic_seek_size(f, off, whence, INT64_MAX, 0);
	return generic_file_lseek(f, off, whence);
}

s64 file_lseek(struct file *f, s64 off, u32 whence)
{
	bool is_locked;
	s64 pos;

	if (whence > SEEK_HOLE)
		return -EINVAL;
	if (!(f->mode & FMODE_LSEEK))
		return -ESPIPE;
	is_locked = pos_begin(f);
	pos = seek(f, off, whence);
	pos_end(f, is_locked);
	return pos;
}

/* --- Directories: getdents(2) */

int file_iterate(struct file *f, struct dir_sink *sink)
{
	struct inode *i = f->inode;
	bool is_locked;
	int err;

	if (!f->ops->iterate)
		return -ENOTDIR;
	is_locked = pos_begin(f);
	rwsem_read_lock(&i->lock);
	err = i->flags & INODE_DEAD ? -ENOENT : f->ops->iterate(f, sink);
	rwsem_read_unlock(&i->lock);
	if (!(i->flags & INODE_DEAD))
		notify_access(f);
	file_touch_atime(f);
	pos_end(f, is_locked);
	return err;
}

/* --- Size and data on disk */

int file_sync(struct file *f, u64 start, u64 end, bool data_only)
{
	return f->ops->fsync ? f->ops->fsync(f, start, end, data_only) : -EINVAL;
}

/* Which modes go together: fallocate(2). */
static int check_fallocate_mode(u32 mode)
{
	const u32 punch = FALLOC_FL_PUNCH_HOLE, zero = FALLOC_FL_ZERO_RANGE, keep = FALLOC_FL_KEEP_SIZE, collapse = FALLOC_FL_COLLAPSE_RANGE,
		  insert = FALLOC_FL_INSERT_RANGE, unshare = FALLOC_FL_UNSHARE_RANGE;

	if (mode & ~(keep | punch | collapse | zero | insert | unshare))
		return -EOPNOTSUPP;
	if ((mode & punch) && ((mode & zero) || !(mode & keep)))
		return -EOPNOTSUPP;
	if (((mode & collapse) && mode != collapse) || ((mode & insert) && mode != insert))
		return -EINVAL;
	return (mode & unshare) && (mode & ~(unshare | keep)) ? -EINVAL : 0;
}

int file_fallocate(struct file *f, u32 mode, s64 off, s64 len)
{
	struct inode *i = f->inode;
	u64 end;
	int err;

	if (off < 0 || len <= 0)
		return -EINVAL;
	err = check_fallocate_mode(mode);
	if (err)
		return err;
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if ((mode & ~(u32)FALLOC_FL_KEEP_SIZE) && (i->flags & INODE_APPEND))
		return -EPERM;
	if (S_ISFIFO(i->mode))
		return -ESPIPE;
	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -ENODEV;
	if (add_overflows((u64)off, (u64)len, &end) || end > i->sb->max_bytes)
		return -EFBIG;
	if (!f->ops->fallocate)
		return -EOPNOTSUPP;
	err = f->ops->fallocate(f, mode, (u64)off, (u64)len);
	if (!err)
		notify_modify(f);
	return err;
}
