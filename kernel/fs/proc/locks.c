/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/locks, and the locks of one descriptor in fdinfo (proc(5)). */
#include <lib/printf.h>
#include "fs/locks.h"
#include "fs/proc/internal.h"
#include "mm/alloc.h"

#define FIRST_GUESS 64		/* locks of one file */

static void add_lock(struct proc_text *t, u32 number, const struct inode *i, const struct lock_info *k)
{
	static const char *const classes[] = { [LOCK_CLASS_POSIX] = "POSIX ", [LOCK_CLASS_OFD] = "OFDLCK", [LOCK_CLASS_FLOCK] = "FLOCK " };

	pt_add(t, "%u: %s%s ADVISORY  %s %d %02x:%02x:%lu %lu ", number, k->is_waiting ? "-> " : "", classes[k->class],
	       k->type == LOCK_TYPE_READ ? "READ" : "WRITE", k->pid, dev_major(i->sb->dev), dev_minor(i->sb->dev), i->ino, k->start);
	if (k->end == S64_MAX)
		pt_add(t, "EOF\n");
	else
		pt_add(t, "%lu\n", k->end);
}

/* As locks_list, with memory for all of them; *out is to be freed. */
static int get_locks(struct inode *i, const struct file *f, const struct fdtable *table, struct lock_info **out, u32 *n)
{
	for (u32 max = FIRST_GUESS;; max = 2 * *n) {
		*out = kmalloc_array(max, sizeof(**out), ALLOC_USER);
		if (!*out)
			return -ENOMEM;
		*n = locks_list(i, f, table, *out, max);
		if (*n <= max)
			return 0;
		kfree(*out);
	}
}

static int add_inode(struct proc_text *t, struct inode *i, u32 *number)
{
	struct lock_info *locks;
	u32 n;
	int err = get_locks(i, NULL, NULL, &locks, &n);

	if (err)
		return err;
	for (u32 k = 0; k < n; k++) {
		if (!locks[k].is_waiting)
			++*number;
		add_lock(t, *number, i, &locks[k]);
	}
	kfree(locks);
	return 0;
}

int proc_show_locks(struct proc_text *t, const struct proc_subject *s)
{
	u32 number = 0;
	int err = 0;

	(void)s;
	for (struct inode *i = locks_next_inode(NULL); i; i = locks_next_inode(i))
		if (!err)
			err = add_inode(t, i, &number);
	return err;
}

int proc_add_file_locks(struct proc_text *t, struct file *f, const struct fdtable *table)
{
	struct lock_info *locks;
	u32 n;
	int err;

	if (!f->inode->locks || (f->mode & FMODE_PATH))
		return 0;
	err = get_locks(f->inode, f, table, &locks, &n);
	if (err)
		return err;
	for (u32 k = 0; k < n; k++) {
		pt_add(t, "lock:\t");
		add_lock(t, k + 1, f->inode, &locks[k]);
	}
	kfree(locks);
	return 0;
}
