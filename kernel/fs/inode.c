/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Inodes: life, times, permission.
 *
 * An inode lives while something refers to it: dentries, open files through their dentry, directory entries of file systems that keep files in memory.
 * The last put takes it off its super block, lets the file system free what it holds (evict), and frees it after a grace period: path walkers
 * read mode, owner, ops and link under RCU alone.
 * Times are read under times_seq and written under times_lock, which nests in anything.
 */
#include <lib/string.h>
#include <frame/percpu.h>
#include <frame/preempt.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "fs/internal.h"
#include "fs/leases.h"
#include "fs/locks.h"
#include "fs/notify.h"
#include "fs/pipe.h"
#include "fs/xattr.h"
#include "mm/alloc.h"
#include "time/wall.h"

static struct slab_cache *inode_cache;

static const struct mapping_ops no_mapping;
static const struct inode_ops no_methods;

void inode_cache_init(void)
{
	inode_cache = slab_create("inode", sizeof(struct inode), 64, SLAB_RECLAIMABLE, NULL);
}

void time_now_coarse(struct timespec_k *t)
{
	s64 ns = wall_now_coarse_ns();

	t->sec = ns / (s64)NSEC_PER_SEC;
	ns -= t->sec * (s64)NSEC_PER_SEC;
	if (ns < 0) {
		ns += (s64)NSEC_PER_SEC;
		t->sec--;
	}
	t->nsec = (u32)ns;
}

static PERCPU(struct { s64 n; }, inodes);	/* may be negative: freed elsewhere */

static void count_inode(s64 step)
{
	preempt_disable();
	this_cpu(inodes)->n += step;
	preempt_enable();
}

u64 inode_count(void)
{
	s64 n = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		n += READ_ONCE(cpu_var(inodes, cpu)->n);
	return n > 0 ? (u64)n : 0;
}

struct inode *inode_new(struct super_block *sb, u32 mode)
{
	struct inode *i = slab_alloc(inode_cache, ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);

	if (!i)
		return NULL;
	count_inode(1);
	ref_init(&i->refs);
	i->mode = mode;
	i->nlink = 1;
	i->ops = &no_methods;
	i->sb = sb;
	i->free = sb->ops->free_inode;
	i->ino = __atomic_add_fetch(&sb->next_ino, 1, __ATOMIC_RELAXED);
	spin_init(&i->times_lock, "inode times");
	rwsem_init(&i->lock, "inode");
	mapping_init(&i->mapping, &no_mapping, i);
	time_now_coarse(&i->mtime);
	i->atime = i->ctime = i->btime = i->mtime;
	spin_lock(&sb->inodes_lock);
	list_push_back(&sb->inodes, &i->sb_node);
	spin_unlock(&sb->inodes_lock);
	return i;
}

void inode_init_owner(struct inode *inode, const struct inode *dir)
{
	const struct cred *c = current_cred();

	inode->uid = c->fsuid;
	inode->gid = c->fsgid;
	if (!dir || !(dir->mode & S_ISGID))
		return;
	inode->gid = dir->gid;
	if (S_ISDIR(inode->mode))
		inode->mode |= S_ISGID;
	else if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !cred_in_group(c, inode->gid) && !capable(inode->sb->user_ns, CAP_FSETID))
		inode->mode &= ~(u32)S_ISGID;
}

void inode_get(struct inode *i)
{
	ref_get(&i->refs);
}

static void free_rcu(struct rcu_head *head)
{
	struct inode *i = container_of(head, struct inode, rcu);

	if (i->free)
		i->free(i);
	slab_free(inode_cache, i);
	count_inode(-1);
}

void inode_put(struct inode *i)
{
	if (!ref_put(&i->refs))
		return;
	spin_lock(&i->sb->inodes_lock);
	list_del(&i->sb_node);
	spin_unlock(&i->sb->inodes_lock);
	if (i->sb->ops->evict)
		i->sb->ops->evict(i);
	mapping_fini(&i->mapping);
	if (i->pipe)
		fifo_release_inode(i);
	if (i->locks)
		locks_free_inode(i);
	if (i->leases)
		leases_free_inode(i);
	if (i->xattrs)
		xattrs_free(i);
	if (i->marks)
		notify_free_inode(i);
	rcu_call(&i->rcu, free_rcu);
}

/* --- Times */

static inline bool times_eq(const struct timespec_k *a, const struct timespec_k *b)
{
	return a->sec == b->sec && a->nsec == b->nsec;
}

void inode_touch(struct inode *i, u32 which)
{
	struct timespec_k now;

	time_now_coarse(&now);
	/* Many writes come within one tick of the coarse clock. */
	if ((!(which & ATTR_ATIME) || times_eq(&i->atime, &now)) && (!(which & ATTR_MTIME) || times_eq(&i->mtime, &now)) &&
	    (!(which & ATTR_CTIME) || times_eq(&i->ctime, &now)))
		return;
	spin_lock(&i->times_lock);
	seq_write_begin(&i->times_seq);
	if (which & ATTR_ATIME)
		i->atime = now;
	if (which & ATTR_MTIME)
		i->mtime = now;
	if (which & ATTR_CTIME)
		i->ctime = now;
	seq_write_end(&i->times_seq);
	spin_unlock(&i->times_lock);
}

static bool is_before(const struct timespec_k *a, const struct timespec_k *b)
{
	return a->sec < b->sec || (a->sec == b->sec && a->nsec < b->nsec);
}

#define RELATIME_SECONDS 86400

/* mount(2): MS_RELATIME updates only what is not newer than the last change, or older than a day. */
static bool relatime_due(const struct inode *i)
{
	struct timespec_k now;

	if (!is_before(&i->mtime, &i->atime) || !is_before(&i->ctime, &i->atime))
		return true;
	time_now_coarse(&now);
	return now.sec - i->atime.sec >= RELATIME_SECONDS;
}

void mount_touch_atime(const struct mount *m, struct inode *i)
{
	u32 flags = READ_ONCE(m->flags);

	if ((flags & (MOUNT_NOATIME | MOUNT_RDONLY)) || (i->flags & INODE_NOATIME) || (READ_ONCE(i->sb->flags) & SB_RDONLY))
		return;
	if ((flags & MOUNT_NODIRATIME) && inode_is(i, S_IFDIR))
		return;
	if ((flags & MOUNT_RELATIME) && !relatime_due(i))
		return;
	inode_touch(i, ATTR_ATIME);
}

void path_touch_atime(const struct path *p)
{
	mount_touch_atime(p->mnt, p->dentry->inode);
}

void file_touch_atime(const struct file *f)
{
	if (!(f->flags & O_NOATIME))
		path_touch_atime(&f->path);
}

/* --- Permission: path_resolution(7), "Permissions" */

static u32 mode_for(const struct inode *i, const struct cred *c)
{
	u32 mode = READ_ONCE(i->mode);

	if (kuid_eq(i->uid, c->fsuid))
		return mode >> 6;
	if ((mode >> 3 ^ mode) & 7 && cred_in_group(c, i->gid))
		return mode >> 3;
	return mode;
}

/* capabilities(7): CAP_DAC_READ_SEARCH reads files, reads and searches directories; CAP_DAC_OVERRIDE all, but executing needs one x bit. */
static bool capable_of(const struct inode *i, u32 mask)
{
	bool is_dir = inode_is(i, S_IFDIR);

	if (is_dir ? !(mask & MAY_WRITE) : mask == MAY_READ)
		if (capable(i->sb->user_ns, CAP_DAC_READ_SEARCH))
			return true;
	if (!is_dir && (mask & MAY_EXEC) && !(READ_ONCE(i->mode) & 0111))
		return false;
	return capable(i->sb->user_ns, CAP_DAC_OVERRIDE);
}

int generic_permission(struct inode *i, u32 mask)
{
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (!(mask & ~mode_for(i, current_cred())) || capable_of(i, mask))
		return 0;
	return -EACCES;
}

int inode_permission(struct inode *i, u32 mask)
{
	if (mask & MAY_WRITE) {
		u32 type = i->mode & S_IFMT;

		if ((READ_ONCE(i->sb->flags) & SB_RDONLY) && (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
			return -EROFS;
		if (i->flags & INODE_IMMUTABLE)
			return -EPERM;
	}
	return i->ops->permission ? i->ops->permission(i, mask & 7) : generic_permission(i, mask);
}

bool inode_owner_or_capable(const struct inode *i)
{
	return kuid_eq(i->uid, current_cred()->fsuid) || capable(i->sb->user_ns, CAP_FOWNER);
}

/* --- Writers against executors */

static int count_up(s32 *n, s32 step)
{
	s32 old = __atomic_load_n(n, __ATOMIC_RELAXED);

	do {
		if (step > 0 ? old < 0 : old > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(n, &old, old + step, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

int inode_writable_get(struct inode *i)
{
	return count_up(&i->n_writers, 1);
}

void inode_writable_put(struct inode *i)
{
	__atomic_fetch_sub(&i->n_writers, 1, __ATOMIC_RELEASE);
}

int file_deny_write(struct file *f)
{
	return count_up(&f->inode->n_writers, -1);
}

void file_allow_write(struct file *f)
{
	__atomic_fetch_add(&f->inode->n_writers, 1, __ATOMIC_RELEASE);
}
