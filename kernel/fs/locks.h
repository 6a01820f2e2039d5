/* SPDX-License-Identifier: MPL-2.0 */
/* File locks: flock(2), fcntl(2) record locks and open-file-description locks. State hangs off inode->locks; the hooks are called only where it is set. */
#ifndef FS_LOCKS_H
#define FS_LOCKS_H

#include <lib/types.h>

struct file;
struct fdtable;
struct inode;
struct pid;

void locks_release_file(struct file *f);			/* the last reference of an open file goes: flock and OFD locks */
void locks_release_owner(struct fdtable *t, struct file *f);	/* close(2) of any descriptor of the file: the process's record locks */
void locks_free_inode(struct inode *i);				/* the inode is going: frees inode->locks */

enum lock_type { LOCK_TYPE_READ, LOCK_TYPE_WRITE, LOCK_TYPE_NONE };
enum lock_class { LOCK_CLASS_POSIX, LOCK_CLASS_OFD, LOCK_CLASS_FLOCK };

struct lock_request {
	enum lock_class class;
	enum lock_type type;		/* NONE: unlock */
	u64 start, end;			/* bytes, both included; end S64_MAX: to the end of the file, wherever that is. flock: ignored */
	bool can_wait;
	struct pid *pid;		/* the process, as F_GETLK and /proc/locks show it; NULL: OFD */
};

/* Sets, changes or removes. -EAGAIN (conflict, and may not wait), -EDEADLK (POSIX), -ENOLCK (no memory), -ERESTARTSYS (a signal, while waiting). */
__must_check int lock_set(struct file *f, const struct lock_request *rq);

struct lock_holder {
	enum lock_type type;		/* NONE: nothing stands in the way */
	u64 start, end;
	struct pid *pid;		/* referenced; NULL: an open file description's */
};
/* The first lock, by its start, that stands in the way of the request. */
void lock_test(struct file *f, const struct lock_request *rq, struct lock_holder *out);

/* A lock, or who waits for one, as /proc/locks shows it. */
struct lock_info {
	enum lock_class class;
	enum lock_type type;
	bool is_waiting;		/* for the last one before it that is not */
	s32 pid;			/* -1: an open file description's */
	u64 start, end;
};
/* The locks of an inode; of one file and one descriptor table (without who waits for them) if `f` is given. Writes at most `max`; returns how many there are. */
u32 locks_list(struct inode *i, const struct file *f, const struct fdtable *t, struct lock_info *out, u32 max);
/* Each inode that has had a lock: after `prev`, which is put (NULL: the first), referenced. */
struct inode *locks_next_inode(struct inode *prev);

#endif
