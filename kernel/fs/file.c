/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Open file descriptions: what open(2) makes and dup(2) and fork(2) share.
 *
 * A file pins its path, and through the dentry its inode. Its memory is type-stable (fdtable.c relies on it): `refs` of a freed file stays 0 until the next
 * user of the memory has set everything else. The last put releases it; where that must not sleep it is handed to fs_policy_defer.
 */
#include <lib/string.h>
#include <frame/percpu.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "fs/async.h"
#include "fs/chrdev.h"
#include "fs/epoll.h"
#include "fs/internal.h"
#include "fs/leases.h"
#include "fs/locks.h"
#include "fs/notify.h"
#include "fs/pipe.h"
#include "mm/alloc.h"
#include "object/user_ns.h"

static struct slab_cache *file_cache;

static PERCPU(struct { s64 n; }, open_files);	/* may be negative: closed elsewhere */

void file_cache_init(void)
{
	struct mem_stat ms;

	file_cache = slab_create("file", sizeof(struct file), 64, SLAB_RCU_TYPESAFE, NULL);
	/* proc(5), file-max: one for every 10 KiB of memory. */
	mem_stat(&ms);
	fs_tunables.file_max = max(ms.total * PAGE_SIZE / 10240, 8192);
}

u64 file_count(void)
{
	s64 n = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		n += READ_ONCE(cpu_var(open_files, cpu)->n);
	return n > 0 ? (u64)n : 0;
}

static s64 count(s64 step)
{
	s64 n;

	preempt_disable();
	n = this_cpu(open_files)->n += step;
	preempt_enable();
	return n;
}

/*
 * Counts one more, unless that is one too many: -ENFILE. Adding up all CPUs for each open would cost more than the limit is worth, so it is done once in CHECK_EVERY, or each
 * time while the limit is so near that those in between could reach it, or has just been changed.
 */
#define CHECK_EVERY 64
static int count_new(void)
{
	static u64 checked_max;		/* [a] the limit as of the last look */
	static bool is_near;		/* [a] */
	u64 max = READ_ONCE(fs_tunables.file_max), n;
	s64 own = count(1);

	if (likely(own % CHECK_EVERY && !READ_ONCE(is_near) && READ_ONCE(checked_max) == max))
		return 0;
	n = file_count();
	WRITE_ONCE(is_near, n + 2 * CHECK_EVERY * (u64)cpu_count() > max);
	WRITE_ONCE(checked_max, max);
	if (n <= max || capable(&init_user_ns, CAP_SYS_ADMIN))
		return 0;
	count(-1);
	return -ENFILE;
}

static int alloc_file(const struct path *p, u32 flags, const struct cred *cred, struct file **out)
{
	struct file *f;
	int err = count_new();

	if (err)
		return err;
	f = slab_alloc(file_cache, ALLOC_SLEEP | ALLOC_USER);
	if (!f) {
		count(-1);
		return -ENOMEM;
	}
	f->mode = 0;
	f->flags = flags & ~(u32)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
	f->error_seq = 0;
	f->ops = NULL;
	f->path = *p;
	path_get(p);
	f->inode = p->dentry->inode;
	f->pos = 0;
	mutex_init(&f->pos_lock, "file position");
	f->cred = cred_get(cred);
	f->async = NULL;
	f->private = NULL;
	f->watchers = NULL;
	__atomic_store_n(&f->refs.n, 1, __ATOMIC_RELEASE);
	*out = f;
	return 0;
}

/* --- The end */

static void destroy(struct file *f)
{
	u32 mode = f->mode;

	if (mode & FMODE_OPENED)
		notify_close(f);
	if (f->watchers)
		epoll_forget_file(f);
	if (f->inode->locks && !(mode & FMODE_PATH))
		locks_release_file(f);
	if (f->inode->leases)
		lease_release(f);
	if (f->async)
		async_release(f);
	if ((mode & FMODE_OPENED) && f->ops && f->ops->release)
		f->ops->release(f);
	if (mode & FMODE_READER)
		__atomic_fetch_sub(&f->inode->n_readers, 1, __ATOMIC_RELEASE);
	if (mode & FMODE_WRITER) {
		inode_writable_put(f->inode);
		mnt_drop_write(f->path.mnt);
	}
	path_put(&f->path);
	cred_put(f->cred);
	slab_free(file_cache, f);
	count(-1);
}

static void destroy_deferred(struct deferred *d)
{
	destroy(container_of(d, struct file, deferred));
}

struct file *file_get(struct file *f)
{
	ref_get(&f->refs);
	return f;
}

void file_put(struct file *f)
{
	if (ref_put(&f->refs))
		file_end(f);
}

void file_end(struct file *f)
{
	if (likely(!in_atomic())) {
		destroy(f);
		return;
	}
	f->deferred.fn = destroy_deferred;
	fs_policy_defer(&f->deferred);
}

/* --- Opening */

static u32 fmode_of(u32 flags)
{
	return (flags + 1) & O_ACCMODE;	/* FMODE_READ, FMODE_WRITE, both; 3: neither (ioctl only) */
}

int file_alloc(const struct path *p, u32 flags, const struct file_ops *ops, struct file **out)
{
	int err = alloc_file(p, flags, current_cred(), out);

	if (err)
		return err;
	(*out)->mode = fmode_of(flags) | FMODE_OPENED;
	(*out)->ops = ops;
	return 0;
}

int file_alloc_anon(struct mount *mnt, struct inode *inode, const char *name, u32 flags, const struct file_ops *ops, struct file **out)
{
	struct path p = { mnt, d_alloc_anon(mnt->sb, name) };
	int err;

	if (!p.dentry)
		return -ENOMEM;
	d_bind(p.dentry, inode);
	inode_get(inode);		/* the dentry's; the caller's stays his on failure */
	err = file_alloc(&p, flags, ops, out);
	d_put(p.dentry);
	if (!err)
		inode_put(inode);
	return err;
}

static const struct file_ops *ops_of(struct inode *i, void **private)
{
	switch (i->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
		return i->fops;
	case S_IFCHR:
		return chrdev_find(i->rdev, private);
	case S_IFIFO:
		return &fifo_ops;
	default:
		return NULL;		/* sockets, block devices that nobody drives */
	}
}

/* Among the inode's writers, or else its readers. */
static int count_user(struct file *f)
{
	int err;

	if (!S_ISREG(f->inode->mode))
		return 0;
	if (!(f->mode & FMODE_WRITE)) {
		if (f->mode & FMODE_READ) {
			__atomic_fetch_add(&f->inode->n_readers, 1, __ATOMIC_SEQ_CST);
			f->mode |= FMODE_READER;
		}
		return 0;
	}
	err = inode_writable_get(f->inode);
	if (err)
		return err;
	err = mnt_want_write(f->path.mnt);
	if (err) {
		inode_writable_put(f->inode);
		return err;
	}
	f->mode |= FMODE_WRITER;
	return 0;
}

static int open_file(struct file *f, u32 flags)
{
	struct inode *i = f->inode;
	int err = count_user(f);

	if (err)
		return err;
	if (unlikely(LOAD_ACQUIRE(i->leases)) && (f->mode & (FMODE_READER | FMODE_WRITER))) {
		err = lease_break(i, (f->mode & FMODE_WRITE) || (flags & O_TRUNC), (flags & O_NONBLOCK) != 0);
		if (err)
			return err;
	}
	f->ops = ops_of(i, &f->private);
	if (!f->ops)
		return -ENXIO;
	f->mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	if (S_ISREG(i->mode) || S_ISDIR(i->mode))
		f->mode |= FMODE_ATOMIC_POS;
	f->error_seq = READ_ONCE(i->mapping.error_seq);
	if (f->ops->open) {
		err = f->ops->open(i, f);	/* a terminal's looks at O_NOCTTY */
		if (err)
			return err;
	}
	f->flags &= ~(u32)O_NOCTTY;
	f->mode |= FMODE_OPENED;
	return (flags & O_DIRECT) && !(f->mode & FMODE_DIRECT) ? -EINVAL : 0;
}

int file_open_path(const struct path *p, u32 flags, const struct cred *cred, struct file **out)
{
	struct file *f;
	int err;

	err = alloc_file(p, flags, cred, &f);
	if (err)
		return err;
	if (flags & O_PATH) {
		f->mode = FMODE_PATH;
		*out = f;
		return 0;
	}
	f->mode = fmode_of(flags);
	err = open_file(f, flags);
	if (err) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}
