/* SPDX-License-Identifier: MPL-2.0 */
/* Files of /proc: text made at the first read of an open file and at each rewind; writes of one value; waiting for mounts; /proc/PID/mem. */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "fs/poll.h"
#include "fs/proc/internal.h"
#include "fs/proc/node.h"
#include "mm/alloc.h"

#define WRITE_MAX 4096

struct proc_open_text {		/* file->private */
	struct mutex lock;
	struct proc_text text;	/* [lock] */
	u32 changes;		/* [a] mounts: those up to this one have been told, or were before the open */
};

static int check_access(const struct proc_node *node, const struct proc_subject *s)
{
	return node->needs_ptrace && s->thread ? may_ptrace_read(s->thread) : 0;
}

static int proc_open(struct inode *inode, struct file *file)
{
	const struct proc_node *node = ((const struct proc_inode *)inode->private)->node;
	struct proc_subject s;
	int err = proc_subject_get(inode, &s);

	if (err)
		return err;
	err = check_access(node, &s);
	proc_subject_put(&s);
	if (err)
		return err;
	file->private = kmalloc(sizeof(struct proc_open_text), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	if (!file->private)
		return -ENOMEM;
	mutex_init(&((struct proc_open_text *)file->private)->lock, "proc text");
	return 0;
}

static void proc_release(struct file *file)
{
	struct proc_open_text *o = file->private;

	kfree(o->text.buf);
	kfree(o);
}

static int make_text(struct file *file, struct proc_text *t)
{
	const struct proc_node *node = ((const struct proc_inode *)file->inode->private)->node;
	struct proc_subject s;
	int err;

	if (!node->show)
		return -EINVAL;
	err = proc_subject_get(file->inode, &s);
	if (err)
		return err;
	s.opener = file->cred;
	t->len = 0;
	t->has_failed = false;
	err = check_access(node, &s);
	if (!err)
		err = node->show(t, &s);
	proc_subject_put(&s);
	return err ? err : t->has_failed ? -ENOMEM : 0;
}

static ssize_t proc_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	struct proc_open_text *o = file->private;
	struct proc_text *t = &o->text;
	size_t n, done;

	MUTEX_GUARD(&o->lock);
	if (*pos == 0 || !t->buf) {
		int err = make_text(file, t);

		if (err)
			return err;
	}
	if (*pos >= t->len)
		return 0;
	n = min(it->count, t->len - *pos);
	done = iov_copy_to(it, t->buf + *pos, n);
	*pos += done;
	return done || !n ? (ssize_t)done : -EFAULT;
}

static ssize_t proc_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	const struct proc_node *node = ((const struct proc_inode *)file->inode->private)->node;
	size_t n = min_t(size_t, it->count, WRITE_MAX - 1);
	struct proc_subject s;
	char *text;
	int err;

	if (!node->write)
		return -EIO;
	text = kmalloc(n + 1, ALLOC_SLEEP | ALLOC_USER);
	if (!text)
		return -ENOMEM;
	err = iov_copy_from(it, text, n) == n ? proc_subject_get(file->inode, &s) : -EFAULT;
	text[n] = 0;
	if (!err) {
		err = check_access(node, &s);
		if (!err)
			err = node->write(&s, text, n);
		proc_subject_put(&s);
	}
	kfree(text);
	if (err)
		return err;
	*pos += n;
	return (ssize_t)n;
}

const struct file_ops proc_file_ops = { .open = proc_open, .release = proc_release, .read = proc_read, .write = proc_write };

/* --- mounts, mountinfo: always to be read, and once after each change an exceptional condition (proc(5)) */

static int mounts_open(struct inode *inode, struct file *file)
{
	int err = proc_open(inode, file);

	if (!err)
		((struct proc_open_text *)file->private)->changes = mount_changes(NULL);
	return err;
}

static u32 mounts_poll(struct file *file, struct poll_wait *pw)
{
	struct proc_open_text *o = file->private;
	u32 now = mount_changes(pw), told = __atomic_exchange_n(&o->changes, now, __ATOMIC_RELAXED);

	return KPOLLIN | KPOLLRDNORM | (now != told ? KPOLLERR | KPOLLPRI : 0);
}

const struct file_ops proc_mounts_ops = {
	.open = mounts_open, .release = proc_release, .read = proc_read, .write = proc_write, .poll = mounts_poll,
};

/* --- /proc/PID/mem: the memory itself, at the addresses as offsets */

static ssize_t access_mem(struct file *file, struct iov_iter *it, u64 *pos, bool is_write)
{
	struct proc_subject s;
	ssize_t done = 0, part = 0;
	struct mm *mm;
	char *chunk;

	if (proc_subject_get(file->inode, &s))
		return 0;
	mm = proc_mm(&s);
	proc_subject_put(&s);
	chunk = mm ? kmalloc(PAGE_SIZE, ALLOC_SLEEP | ALLOC_USER) : NULL;
	while (chunk && it->count) {
		size_t n = min_t(size_t, it->count, PAGE_SIZE - *pos % PAGE_SIZE);

		if (is_write && iov_copy_from(it, chunk, n) < n)
			part = -EFAULT;
		else
			part = mm_access(mm, *pos, chunk, n, is_write, true);
		if (part > 0 && !is_write && iov_copy_to(it, chunk, (size_t)part) < (size_t)part)
			part = -EFAULT;
		if (part <= 0)
			break;
		done += part;
		*pos += (u64)part;
	}
	kfree(chunk);
	if (mm)
		mm_put(mm);
	if (done)
		return done;
	return mm && !chunk ? -ENOMEM : part == -EFAULT && !is_write ? -EIO : part;
}

static ssize_t mem_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	return access_mem(file, it, pos, false);
}

static ssize_t mem_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	return access_mem(file, it, pos, true);
}

static s64 mem_lseek(struct file *file, s64 off, u32 whence)
{
	if (whence == SEEK_CUR)
		off += (s64)file->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	file->pos = (u64)off;
	return off;
}

static int mem_open(struct inode *inode, struct file *file)
{
	struct proc_subject s;
	int err = proc_subject_get(inode, &s);

	(void)file;
	if (err)
		return err;
	err = may_ptrace_read(s.thread);
	proc_subject_put(&s);
	return err;
}

const struct file_ops proc_mem_ops = { .open = mem_open, .read = mem_read, .write = mem_write, .lseek = mem_lseek };
