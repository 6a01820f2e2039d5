/* SPDX-License-Identifier: MPL-2.0 */
/* Attributes of sysfs as files: the text is made at a read from the start, and kept for that open file; a write is one value. */
#include <lib/errno.h>
#include <lib/string.h>
#include "fs/sys/internal.h"
#include "mm/alloc.h"
#include "mm/iov.h"

struct open_attr {	/* file->private */
	struct mutex lock;
	size_t len;	/* [lock] of the text */
	bool is_made;	/* [lock] */
	char *text;	/* [lock] a page, made at the first read */
};

/* Only what an attribute offers can be opened for, whoever asks. */
static int sysfs_open(struct inode *inode, struct file *file)
{
	const struct sysfs_attr *attr = ((const struct sysfs_node *)inode->private)->attr;
	struct open_attr *o;

	if (((file->mode & FMODE_READ) && !attr->show) || ((file->mode & FMODE_WRITE) && !attr->store))
		return -EACCES;
	o = kmalloc(sizeof(*o), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	if (!o)
		return -ENOMEM;
	mutex_init(&o->lock, "sysfs text");
	file->private = o;
	return 0;
}

static void sysfs_release(struct file *file)
{
	struct open_attr *o = file->private;

	kfree(o->text);
	kfree(o);
}

static int make_text(struct open_attr *o, const struct sysfs_node *n)
{
	if (!o->text)
		o->text = kmalloc(PAGE_SIZE, ALLOC_SLEEP | ALLOC_USER);
	if (!o->text)
		return -ENOMEM;
	o->len = n->attr->show(n->object, o->text, PAGE_SIZE);
	o->is_made = true;
	return 0;
}

static ssize_t sysfs_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	struct open_attr *o = file->private;
	size_t n, done;

	MUTEX_GUARD(&o->lock);
	if (*pos == 0 || !o->is_made) {
		int err = make_text(o, file->inode->private);

		if (err)
			return err;
	}
	if (*pos >= o->len)
		return 0;
	n = min(it->count, o->len - *pos);
	done = iov_copy_to(it, o->text + *pos, n);
	*pos += done;
	return done || !n ? (ssize_t)done : -EFAULT;
}

static ssize_t sysfs_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	const struct sysfs_node *node = file->inode->private;
	size_t n = min_t(size_t, it->count, PAGE_SIZE - 1);
	char *text;
	int err;

	if (!n)
		return 0;
	text = kmalloc(n + 1, ALLOC_SLEEP | ALLOC_USER);
	if (!text)
		return -ENOMEM;
	err = iov_copy_from(it, text, n) == n ? 0 : -EFAULT;
	text[n] = 0;
	if (!err)
		err = node->attr->store(node->object, text, n);
	kfree(text);
	if (err)
		return err;
	*pos += n;
	return (ssize_t)n;
}

const struct file_ops sysfs_file_ops = { .open = sysfs_open, .release = sysfs_release, .read = sysfs_read, .write = sysfs_write };
